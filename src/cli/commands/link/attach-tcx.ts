/** `sluice link attach tcx`. */
import { attachTcx } from "../../../dispatcher/manage.ts";
import { parseId } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { metadataOf } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";
import { attachAndAnswer, type NetworkFlags, parseSide, wholeNumber } from "./attach.ts";

async function attach(
  this: CliContext,
  flags: NetworkFlags,
  program: string,
  device: string,
  side: string,
): Promise<void> {
  const { netns } = flags;
  const wanted = {
    programId: parseId(program),
    side: parseSide(side),
    device,
    priority: wholeNumber(flags.priority, "priority"),
    metadata: metadataOf(flags),
    dryRun: flags.plan,
    ...(netns !== undefined && { netns }),
  };
  return attachAndAnswer(this, flags, (dispatcher) => attachTcx(dispatcher, wanted));
}

/** Runs the command. */
export default reporting(attach);
