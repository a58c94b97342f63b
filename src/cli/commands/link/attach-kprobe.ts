/** `sluice link attach kprobe`. */
import { attachTrace } from "../../../dispatcher/manage.ts";
import type { ProgramRecord } from "../../../dispatcher/model.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags, wholeNumber } from "./attach.ts";

interface Flags extends AttachFlags {
  readonly offset?: string;
}

async function attach(this: CliContext, flags: Flags, program: string, name: string): Promise<void> {
  const offset = wholeNumber(flags.offset ?? "0", "offset");
  const wanted = {
    programId: parseId(program),
    kind: "kprobe" as const,
    details: ({ type }: ProgramRecord) => ({
      kind: "kprobe" as const,
      function: name,
      offset,
      returns: type === "kretprobe",
    }),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachTrace(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
