/** `sluice link attach kprobe`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, attachOf, wholeNumber } from "./attach.ts";

interface Flags extends AttachFlags {
  readonly offset?: string;
}

async function attach(this: CliContext, flags: Flags, program: string, name: string): Promise<void> {
  const offset = wholeNumber(flags.offset ?? "0", "offset");
  return attachAndAnswer(this, flags, { kind: "kprobe", ...(await attachOf(flags, program)), function: name, offset });
}

/** Runs the command. */
export default reporting(attach);
