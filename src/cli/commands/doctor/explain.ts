/** `sluice doctor explain`. */
import { sluiceError } from "../../../core/errors.ts";
import { nearest } from "../../../core/nearest.ts";
import { RULES } from "../../../dispatcher/doctor.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";

async function explain(this: CliContext, flags: { readonly json: boolean }, name?: string): Promise<void> {
  const rules = RULES.filter((rule) => name === undefined || rule.name === name);
  if (rules.length === 0) {
    const near = nearest(
      name!,
      RULES.map((rule) => rule.name),
    );
    const hint = near === undefined ? "sluice doctor explain lists them" : `Did you mean "${near}"?`;
    throw sluiceError("NOT_FOUND", { noun: "rule", id: name!, hint });
  }
  if (flags.json)
    return answerJson(this, "doctor-rules", {
      rules: rules.map(({ name: rule, severity, brief, rationale }) => ({ rule, severity, brief, rationale })),
    });
  const blocks = rules.map(
    ({ name: rule, severity, brief, rationale }) => `${rule} (${severity})\n  ${brief}.\n  ${rationale}`,
  );
  return answer(this, blocks.join("\n\n"));
}

/** Runs the command. */
export default reporting(explain);
