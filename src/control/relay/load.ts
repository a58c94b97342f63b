/** What loading rules changes. Pure. */
import type { WholeRule } from "./json.ts";

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
