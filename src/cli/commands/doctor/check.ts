/** `sluice doctor`. */
import { examine, type Finding } from "../../../dispatcher/doctor.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { openDispatcher } from "../../dispatcher-place.ts";
import { reporting } from "../../report.ts";

const count = (findings: readonly Finding[], severity: Finding["severity"]): number =>
  findings.filter((finding) => finding.severity === severity).length;

async function check(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  using dispatcher = openDispatcher(this);
  const findings = examine(dispatcher.snapshot());
  if (flags.json) return answerJson(this, "doctor", { findings });
  if (findings.length === 0) return answer(this, "All checks passed. Store, kernel and file system are coherent.");
  const rules = [...Map.groupBy(findings, ({ rule }) => rule)];
  const lines = rules.flatMap(([rule, found]) => [
    `[${rule}] ${found[0]!.severity} (${found.length})`,
    ...found.map(({ message }) => `  ${message}`),
    "",
  ]);
  return answer(
    this,
    [
      ...lines,
      `Summary: ${count(findings, "error")} error(s), ${count(findings, "warning")} warning(s)`,
      "sluice doctor explain RULE tells more; sluice gc mends what is sluice's own.",
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(check);
