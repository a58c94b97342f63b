/** `sluice doctor`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
}

async function check(this: CliContext, flags: Flags): Promise<void> {
  const output = await perform(this, flags, "doctor.check", {});
  const { findings } = output;
  if (flags.json) return answerJson(this, output);
  if (findings.length === 0) return answer(this, "All checks passed. Store, kernel and file system are coherent.");
  const count = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
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
      `Summary: ${count("error")} error(s), ${count("warning")} warning(s)`,
      "sluice doctor explain RULE tells more; sluice gc mends what is sluice's own.",
    ].join("\n"),
  );
}

/** Runs the command. */
export default reporting(check);
