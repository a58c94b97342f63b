/** `sluice relay check FILE`: every fault in the rules of a file; touches nothing. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";

async function check(this: CliContext, { json }: { readonly json: boolean }, path: string): Promise<void> {
  const { readRuleFile } = await import("../../../control/relay/file.ts");
  const { rules, warnings } = readRuleFile(path);
  if (json) return answerJson(this, { schema: "sluice/relay-check/1", ok: true, rules: rules.length, warnings });
  for (const line of warningLines(warnings)) note(this, line);
  return answer(this, `ok: ${rules.length} rules; ${warnings.length} warnings`);
}

/** Runs the command. */
export default reporting(check);
