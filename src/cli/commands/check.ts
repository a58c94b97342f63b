/** `sluice check`: are the files free of errors? Needs no rights and no kernel. */
import { humanRate } from "../../core/units.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { perform, type PlaceFlags } from "../perform.ts";
import { warningLines } from "../render/problems.ts";
import { reporting } from "../report.ts";

interface Flags extends Omit<PlaceFlags, "netns"> {
  readonly json: boolean;
}

async function check(this: CliContext, flags: Flags): Promise<void> {
  const output = await perform(this, flags, "shaper.check", {});
  if (flags.json) return answerJson(this, output);
  for (const line of warningLines(output.warnings)) note(this, line);
  const { circuits, devices, addresses, nodes, links, rules, warnings, downloadBitsPerSecond, uploadBitsPerSecond } =
    output;
  const shaped =
    `${circuits} circuits with ${devices} devices and ${addresses} addresses on ${nodes} nodes, ` +
    `link ${humanRate(downloadBitsPerSecond)} down, ${humanRate(uploadBitsPerSecond)} up`;
  const followed = `${links} ${links === 1 ? "link that follows its line" : "links that follow their lines"}`;
  const relayed = `${rules} ${rules === 1 ? "rule" : "rules"} of the relay`;
  // A line to the Internet always has a rate.
  const parts = [
    ...(downloadBitsPerSecond > 0 ? [shaped] : []),
    ...(links > 0 ? [followed] : []),
    ...(rules > 0 ? [relayed] : []),
  ];
  return answer(this, `ok: ${parts.join("; ") || "nothing to do"}; ${warnings.length} warnings`);
}

/** Runs the command. */
export default reporting(check);
