/** Rules of the relay in a file of their own, to be checked, added, or kept. */
import { parseDocument } from "../../core/config-table.ts";
import { type Problem, SluiceError, sortProblems } from "../../core/errors.ts";
import { renderToml } from "../../core/toml.ts";
import { readText } from "../../linux/text-file.ts";
import { readRelay } from "../../relay/settings.ts";
import { newRuleJson, ruleTable, type WholeRule } from "./json.ts";

/** What a file holds. */
export interface RuleFile {
  readonly rules: readonly WholeRule[];
  readonly warnings: readonly Problem[];
}

/** Reads the `[relay]` of a file. @throws SluiceError with everything that is wrong in it */
export function readRuleFile(path: string): RuleFile {
  const read = readText(path, "FILE_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  const document = parseDocument(read.text, path);
  if ("problem" in document) throw new SluiceError([document.problem]);
  const { config, problems } = readRelay(document);
  const all = sortProblems(problems, [path]);
  if (all.some(({ severity }) => severity === "error")) throw new SluiceError(all);
  return { rules: (config?.rules ?? []).map(({ rule }) => newRuleJson(rule)), warnings: all };
}

/** Such a file, which reads back to the same rules. */
export const renderRules = (rules: readonly WholeRule[]): string =>
  renderToml({
    relay: { rules: rules.map((rule) => ({ ...ruleTable(rule), port: rule.port === 0 ? "any" : rule.port })) },
  });
