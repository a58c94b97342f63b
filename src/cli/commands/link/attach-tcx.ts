/** `sluice link attach tcx`. */
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, networkOf, parseSide } from "./attach.ts";

async function attach(
  this: CliContext,
  flags: NetworkFlags,
  program: string,
  device: string,
  side: string,
): Promise<void> {
  const network = await networkOf(flags, program, device);
  return attachAndAnswer(this, flags, { kind: "tcx", ...network, direction: parseSide(side) });
}

/** Runs the command. */
export default reporting(attach);
