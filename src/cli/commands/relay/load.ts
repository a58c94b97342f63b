/** `sluice relay load FILE`: adds the rules of a file; those that are there as they shall be are not touched. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { ask } from "../../perform.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly replace: boolean;
}

async function load(this: CliContext, { json, replace }: Flags, path: string): Promise<void> {
  const { readRuleFile } = await import("../../../control/relay/file.ts");
  const { rules, warnings } = readRuleFile(path);
  for (const line of warningLines(warnings)) note(this, line);
  const output = await ask(this, "relay.load", { body: { rules: [...rules], replace } });
  // Of these rules together with others; what is so of the file alone has been said.
  const known = new Set(warnings.map(({ message }) => message));
  for (const line of warningLines(output.warnings.filter(({ message }) => !known.has(message)))) note(this, line);
  if (json) return answerJson(this, output);
  const { added, replaced, removed, kept } = output;
  return answer(this, `${added} added, ${replaced} replaced, ${removed} removed, ${kept} as they were`);
}

/** Runs the command. */
export default reporting(load);
