/** `sluice link attach xdp`. */
import { attachToDispatcher } from "../../../dispatcher/manage.ts";
import type { EngineName, XdpMode } from "../../../dispatcher/model.ts";
import { parseProceedOn } from "../../../dispatcher/proceed-on.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, networkAttach, type NetworkFlags } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: EngineName;
  readonly proceedOn?: readonly string[];
  readonly xdpMode?: XdpMode;
}

async function attach(this: CliContext, flags: Flags, program: string, device: string): Promise<void> {
  const { engine, xdpMode, proceedOn } = flags;
  const wanted = {
    ...networkAttach(flags, program, device),
    hook: "xdp" as const,
    ...(engine && { engine }),
    ...(xdpMode && { xdpMode }),
    ...(proceedOn && { proceedOn: parseProceedOn("xdp", proceedOn) }),
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachToDispatcher(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
