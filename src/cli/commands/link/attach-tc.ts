/** `sluice link attach tc`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, networkOf, parseSide } from "./attach.ts";

interface Flags extends NetworkFlags {
  readonly engine?: "fused" | "freplace";
  readonly proceedOn?: readonly string[];
  readonly tcHook?: "clsact" | "tcx";
}

async function attach(this: CliContext, flags: Flags, program: string, device: string, side: string): Promise<void> {
  const { engine, tcHook, proceedOn } = flags;
  return attachAndAnswer(this, flags, {
    kind: "tc",
    ...(await networkOf(flags, program, device)),
    direction: parseSide(side),
    ...(engine && { engine }),
    ...(tcHook && { tcHook }),
    ...(proceedOn && { proceedOn: [...proceedOn] }),
  });
}

/** Runs the command. */
export default reporting(attach);
