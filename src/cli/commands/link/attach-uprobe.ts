/** `sluice link attach uprobe`. */
import { attachTrace } from "../../../dispatcher/manage.ts";
import type { ProgramRecord } from "../../../dispatcher/model.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, wholeNumber } from "./attach.ts";

interface Flags extends AttachFlags {
  readonly function?: string;
  readonly offset?: string;
  readonly pid?: string;
  readonly containerPid?: string;
}

async function attach(this: CliContext, flags: Flags, program: string, target: string): Promise<void> {
  const place = {
    kind: "uprobe" as const,
    target,
    offset: wholeNumber(flags.offset ?? "0", "offset"),
    ...(flags.function !== undefined && { function: flags.function }),
    ...(flags.pid !== undefined && { pid: wholeNumber(flags.pid, "pid") }),
    ...(flags.containerPid !== undefined && { containerPid: wholeNumber(flags.containerPid, "pid") }),
  };
  const wanted = {
    programId: parseId(program),
    kind: "uprobe" as const,
    details: ({ type }: ProgramRecord) => ({ ...place, returns: type === "uretprobe" }),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachTrace(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
