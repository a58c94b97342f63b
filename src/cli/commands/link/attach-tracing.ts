/** `sluice link attach fentry` and `fexit`. */
import { attachTrace } from "../../../dispatcher/manage.ts";
import type { ProgramRecord } from "../../../dispatcher/model.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type AttachFlags } from "./attach.ts";

const attacher = (kind: "fentry" | "fexit") =>
  reporting(async function attach(this: CliContext, flags: AttachFlags, program: string): Promise<void> {
    const wanted = {
      programId: parseId(program),
      kind,
      details: ({ attachFunction }: ProgramRecord) => ({ kind, function: attachFunction ?? "" }),
      metadata: metadataOf(flags),
      dryRun: flags.plan,
    };
    return attachAndAnswer(this, flags, (dispatcher) => attachTrace(dispatcher, wanted));
  });

/** Runs `fentry`. */
export const fentry = attacher("fentry");
/** Runs `fexit`. */
export const fexit = attacher("fexit");
