/** `sluice link attach tc`. */
import { attachToDispatcher } from "../../../dispatcher/manage.ts";
import type { EngineName, TcHook } from "../../../dispatcher/model.ts";
import { parseProceedOn } from "../../../dispatcher/proceed-on.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, parseSide, wholeNumber } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: EngineName;
  readonly proceedOn?: readonly string[];
  readonly tcHook?: TcHook;
}

async function attach(this: CliContext, flags: Flags, program: string, device: string, side: string): Promise<void> {
  const { netns, engine, tcHook, proceedOn } = flags;
  const wanted = {
    programId: parseId(program),
    hook: `tc-${parseSide(side)}` as const,
    device,
    priority: wholeNumber(flags.priority, "priority"),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
    ...(netns !== undefined && { netns }),
    ...(engine && { engine }),
    ...(tcHook && { tcHook }),
    ...(proceedOn && { proceedOn: parseProceedOn("tc", proceedOn) }),
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachToDispatcher(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
