/** `sluice link attach uprobe`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, attachOf, wholeNumber } from "./attach.ts";

interface Flags extends AttachFlags {
  readonly function?: string;
  readonly offset?: string;
  readonly pid?: string;
  readonly containerPid?: string;
}

async function attach(this: CliContext, flags: Flags, program: string, target: string): Promise<void> {
  return attachAndAnswer(this, flags, {
    kind: "uprobe",
    ...(await attachOf(flags, program)),
    target,
    offset: wholeNumber(flags.offset ?? "0", "offset"),
    ...(flags.function !== undefined && { function: flags.function }),
    ...(flags.pid !== undefined && { pid: wholeNumber(flags.pid, "pid") }),
    ...(flags.containerPid !== undefined && { containerPid: wholeNumber(flags.containerPid, "pid") }),
  });
}

/** Runs the command. */
export default reporting(attach);
