/** Rules together: what is wrong with them that is not wrong with any of them alone. Pure. */
import { type Location, type Problem, problem } from "../../core/errors.ts";
import type { Rule, RuleInput } from "../model.ts";
import { findCycles } from "./cycles.ts";

/** A rule with where it stands. */
export interface PlacedRule {
  readonly rule: Rule;
  /** For people: `relay.rules.0`, or `rule "video" that was added`. */
  readonly path: string;
  readonly where?: Location;
}

const inputKey = ({ interface: device, group, port, source = "any", vlan = 0 }: RuleInput): string =>
  `${group} port ${port === 0 ? "any" : port} on ${device}${source === "any" ? "" : ` from ${source}`}${vlan === 0 ? "" : ` in VLAN ${vlan}`}`;

function duplicates(placed: readonly PlacedRule[], keyOf: (rule: Rule) => string | undefined): Problem[] {
  const first = new Map<string, PlacedRule>();
  return placed.flatMap((each) => {
    const key = keyOf(each.rule);
    if (key === undefined) return [];
    const before = first.get(key);
    if (!before) {
      first.set(key, each);
      return [];
    }
    return [problem("RELAY_TWICE", { path: each.path, other: before.path, what: key }, each.where)];
  });
}

/** Names that are another rule's id: whoever says it could mean either. */
function ambiguous(placed: readonly PlacedRule[]): Problem[] {
  const byId = new Map(placed.map((each) => [each.rule.id, each]));
  return placed.flatMap((each) => {
    const { name = "" } = each.rule;
    const other = byId.get(name);
    if (!other || other === each) return [];
    const what = `name "${name}" of the one is the id of the other`;
    return [problem("RELAY_TWICE", { path: each.path, other: other.path, what }, each.where)];
  });
}

/** How many counters rules need. */
const countersOf = (placed: readonly PlacedRule[]): number =>
  placed.reduce((sum, { rule }) => sum + 1 + rule.outputs.length, 0);

/** Checks them. @param most how many counters there are */
export function checkRules(placed: readonly PlacedRule[], most: number): Problem[] {
  const problems = [
    ...duplicates(placed, ({ input }) => inputKey(input)),
    ...duplicates(placed, ({ id }) => `id "${id}"`),
    ...duplicates(placed, ({ name }) => (name === undefined ? undefined : `name "${name}"`)),
    ...ambiguous(placed),
  ];
  const count = countersOf(placed);
  if (count > most) problems.push(problem("RELAY_FULL", { count, most }));
  const places = new Map(placed.map((each) => [each.rule, each]));
  for (const cycle of findCycles(placed.map(({ rule }) => rule))) {
    const path = cycle.map(({ input }) => inputKey(input)).join(" -> ");
    problems.push(problem("RELAY_CYCLE", { path }, places.get(cycle[0]!)?.where));
  }
  return problems;
}
