/** `sluice doctor explain`. */
import { sluiceError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
}

async function explain(this: CliContext, flags: Flags, name?: string): Promise<void> {
  const output = await perform(this, flags, "doctor.rules", {});
  const rules = output.rules.filter(({ rule }) => name === undefined || rule === name);
  if (rules.length === 0) {
    const near = nearest(
      name!,
      output.rules.map(({ rule }) => rule),
    );
    const hint = near === undefined ? "sluice doctor explain lists them" : `Did you mean "${near}"?`;
    throw sluiceError("NOT_FOUND", { noun: "rule", id: name!, hint });
  }
  if (flags.json) return answerJson(this, { ...output, rules });
  const blocks = rules.map(
    ({ rule, severity, brief, rationale }) => `${rule} (${severity})\n  ${brief}.\n  ${rationale}`,
  );
  return answer(this, blocks.join("\n\n"));
}

/** Runs the command. */
export default reporting(explain);
