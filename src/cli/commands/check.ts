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
  const { circuits, devices, addresses, nodes, warnings, downloadBitsPerSecond, uploadBitsPerSecond } = output;
  return answer(
    this,
    `ok: ${circuits} circuits with ${devices} devices and ${addresses} addresses on ${nodes} nodes, ` +
      `link ${humanRate(downloadBitsPerSecond)} down, ${humanRate(uploadBitsPerSecond)} up; ${warnings.length} warnings`,
  );
}

/** Runs the command. */
export default reporting(check);
