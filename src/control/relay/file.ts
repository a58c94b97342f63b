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

/** What has to be done so that these rules are there. */
export interface Load {
  readonly add: readonly WholeRule[];
  /** There under the same id, but other than they shall be. */
  readonly replace: readonly WholeRule[];
  readonly remove: readonly string[];
  /** How many are there as they shall be. */
  readonly kept: number;
}

const same = (a: WholeRule, b: WholeRule): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

/** With its keys in order, so that texts can be compared. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([key, each]) => [key, sorted(each)]),
  );
};

/**
 * Plans it.
 *
 * @param added rules that were added before
 * @param fixed those of the configuration, which stay as they are
 * @param only whether added ones that are not wanted are removed
 */
export function planLoad(
  wanted: readonly WholeRule[],
  added: readonly WholeRule[],
  fixed: readonly WholeRule[],
  only: boolean,
): Load {
  const before = new Map(added.map((rule) => [rule.id, rule]));
  const configured = new Map(fixed.map((rule) => [rule.id, rule]));
  const isConfigured = (rule: WholeRule): boolean => {
    const other = configured.get(rule.id);
    return other !== undefined && same(rule, other);
  };
  const open = wanted.filter((rule) => !isConfigured(rule));
  const add = open.filter(({ id }) => !before.has(id));
  const known = open.filter(({ id }) => before.has(id));
  const replace = known.filter((rule) => !same(rule, before.get(rule.id)!));
  const ids = new Set(wanted.map(({ id }) => id));
  const remove = only ? added.filter(({ id }) => !ids.has(id)).map(({ id }) => id) : [];
  return { add, replace, remove, kept: wanted.length - add.length - replace.length };
}
