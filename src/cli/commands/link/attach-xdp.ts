/** `sluice link attach xdp`. */
import { attachToDispatcher } from "../../../dispatcher/manage.ts";
import type { EngineName, XdpMode } from "../../../dispatcher/model.ts";
import { parseProceedOn } from "../../../dispatcher/proceed-on.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, wholeNumber } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: EngineName;
  readonly proceedOn?: readonly string[];
  readonly xdpMode?: XdpMode;
}

async function attach(this: CliContext, flags: Flags, program: string, device: string): Promise<void> {
  const { netns, engine, xdpMode, proceedOn } = flags;
  const wanted = {
    programId: parseId(program),
    hook: "xdp" as const,
    device,
    priority: wholeNumber(flags.priority, "priority"),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
    ...(netns !== undefined && { netns }),
    ...(engine && { engine }),
    ...(xdpMode && { xdpMode }),
    ...(proceedOn && { proceedOn: parseProceedOn("xdp", proceedOn) }),
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachToDispatcher(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
