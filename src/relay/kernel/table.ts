/**
 * From rules to the rows that shall be in the kernel. Pure.
 *
 * A packet is looked for in the kernel first, and the kernel knows only some of the rules. Where it has a rule for any
 * source, and the user plane has one for this source, the kernel must not take the packet: such a rule of the user plane
 * gets a row without outputs, which leaves the packet alone.
 */
import type { Engine, PlaneRule } from "../model.ts";
import { encodeRow, kindOf, MAX_INPUTS, MAX_ROWS, type Row, RULE_KEY, type RuleKey } from "./codec.ts";
import { encode } from "../../core/layout.ts";
import { keyOf, kernelVerdict, type Verdict } from "./eligible.ts";

/** A rule, and who its user wants to carry it. */
export interface RuleRequest {
  readonly rule: PlaneRule;
  readonly engine: Engine;
}

/** Whether a rule is carried: true, or why the user plane has to. */
export type Carried = true | string;

/** What shall be in the kernel. */
export interface KernelTable {
  /** By the key in hex. */
  readonly rows: ReadonlyMap<string, Row>;
  /** By the number of each interface that packets are taken from: which kinds of rules it has, a bit each. */
  readonly inputs: ReadonlyMap<number, number>;
  /** By each rule's id. */
  readonly carried: ReadonlyMap<string, Carried>;
}

type Judged = RuleRequest & { readonly verdict: Verdict };
type Accepted = Extract<Verdict, { kernel: true }>;

const keyText = (key: RuleKey): string => encode(RULE_KEY, key).toString("hex");

/** Rules that can meet the same packets have the same text. */
const destination = ({ rule }: RuleRequest): string =>
  `${rule.ifindex} ${rule.vlan} ${Buffer.from(rule.group).toString("hex")}`;

/** By which of two rules a packet goes that both would take: the higher one. */
const rank = ({ source, port }: RuleKey): number => (source ? 2 : 0) + (port === 0 ? 0 : 1);

/** Whether a packet of one rule may go by the other one where the first is not known. */
const isBehind = (other: RuleKey, key: RuleKey): boolean =>
  rank(other) < rank(key) && (!other.source || !key.source || Buffer.compare(other.source, key.source) === 0);

/** The rows of rules that can meet the same packets. */
function rowsOf(rules: readonly Judged[]): Accepted[] {
  const accepted = rules.flatMap(({ verdict }) => (verdict.kernel ? verdict : []));
  const left = rules.flatMap(({ rule, verdict }): Accepted[] => {
    const key = keyOf(rule);
    if (verdict.kernel || !accepted.some((each) => isBehind(each.key, key))) return [];
    return [{ kernel: true, key, rule: { slot: rule.slot, mtu: 0, cap: {}, outputs: [] } }];
  });
  return [...accepted, ...left];
}

/** Judges each rule; of those with the same input the first one counts. */
function judge(requests: readonly RuleRequest[], refused: ReadonlyMap<number, string>): Judged[] {
  const known = new Set<string>();
  return requests.map((request): Judged => {
    const { rule, engine } = request;
    const key = keyText(keyOf(rule));
    const reason = refused.get(rule.ifindex) ?? (known.has(key) ? "another rule takes the same packets" : undefined);
    known.add(key);
    return { ...request, verdict: reason === undefined ? kernelVerdict(rule, engine) : { kernel: false, reason } };
  });
}

/**
 * Works out the rows.
 *
 * @param refused interfaces that the program cannot be on, by number, and why
 */
export function kernelTable(
  requests: readonly RuleRequest[],
  refused: ReadonlyMap<number, string> = new Map(),
): KernelTable {
  const rows = new Map<string, Row>();
  const inputs = new Map<number, number>();
  const judged = judge(requests, refused);
  const carried = new Map<string, Carried>(
    judged.map(({ rule, verdict }) => [rule.id, verdict.kernel ? true : verdict.reason]),
  );
  for (const rules of Map.groupBy(judged, destination).values()) {
    const wanted = rowsOf(rules);
    const { ifindex } = rules[0]!.rule;
    const room = rows.size + wanted.length <= MAX_ROWS && (inputs.has(ifindex) || inputs.size < MAX_INPUTS);
    if (!room) {
      const full = `the kernel has room for ${MAX_ROWS} rules on ${MAX_INPUTS} interfaces`;
      for (const { rule, verdict } of rules) if (verdict.kernel) carried.set(rule.id, full);
      continue;
    }
    for (const { key, rule } of wanted) {
      const row = encodeRow(key, rule);
      rows.set(row.key.toString("hex"), row);
      inputs.set(ifindex, (inputs.get(ifindex) ?? 0) | kindOf(key));
    }
  }
  return { rows, inputs, carried };
}
