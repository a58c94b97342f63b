/** `sluice link attach tracepoint`. */
import { sluiceError } from "../../../core/errors.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, attachOf } from "./attach.ts";

async function attach(this: CliContext, flags: AttachFlags, program: string, tracepoint: string): Promise<void> {
  const [group, name, ...rest] = tracepoint.split("/");
  if (!group || !name || rest.length > 0) {
    const reason = `Cannot use the tracepoint "${tracepoint}": it must be in 'group/name' format`;
    throw sluiceError("USAGE", { reason, command: "sluice link attach tracepoint" });
  }
  return attachAndAnswer(this, flags, { kind: "tracepoint", ...(await attachOf(flags, program)), group, name });
}

/** Runs the command. */
export default reporting(attach);
