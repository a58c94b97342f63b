/** `sluice link attach tcx`. */
import { attachTcx } from "../../../dispatcher/manage.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, networkAttach, type NetworkFlags, parseSide } from "./attach.ts";

async function attach(
  this: CliContext,
  flags: NetworkFlags,
  program: string,
  device: string,
  side: string,
): Promise<void> {
  const wanted = { ...networkAttach(flags, program, device), side: parseSide(side) };
  return attachAndAnswer(this, flags, (dispatcher) => attachTcx(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
