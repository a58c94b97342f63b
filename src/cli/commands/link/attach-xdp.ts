/** `sluice link attach xdp`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, networkOf } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: "fused" | "freplace";
  readonly proceedOn?: readonly string[];
  readonly xdpMode?: "auto" | "native" | "generic";
}

async function attach(this: CliContext, flags: Flags, program: string, device: string): Promise<void> {
  const { engine, xdpMode, proceedOn } = flags;
  return attachAndAnswer(this, flags, {
    kind: "xdp",
    ...(await networkOf(flags, program, device)),
    ...(engine && { engine }),
    ...(xdpMode && { xdpMode }),
    ...(proceedOn && { proceedOn: [...proceedOn] }),
  });
}

/** Runs the command. */
export default reporting(attach);
