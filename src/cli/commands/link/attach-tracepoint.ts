/** `sluice link attach tracepoint`. */
import { sluiceError } from "../../../core/errors.ts";
import { attachTrace } from "../../../dispatcher/manage.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags } from "./attach.ts";

async function attach(this: CliContext, flags: AttachFlags, program: string, tracepoint: string): Promise<void> {
  const [group, name, ...rest] = tracepoint.split("/");
  if (!group || !name || rest.length > 0) {
    const reason = `Cannot use the tracepoint "${tracepoint}": it must be in 'group/name' format`;
    throw sluiceError("USAGE", { reason, command: "sluice link attach tracepoint" });
  }
  const wanted = {
    programId: parseId(program),
    kind: "tracepoint" as const,
    details: () => ({ kind: "tracepoint" as const, group, name }),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachTrace(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
