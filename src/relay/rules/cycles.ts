/** Rules that lead back to where they begin. Pure. */
import type { Rule, RuleInput, RuleOutput } from "../model.ts";

/** Whether copies of what a rule takes can have the source that another asks for; the box's own address is none of those. */
const canBeFrom = (asked: string, { source }: RuleOutput, from: RuleInput): boolean => {
  if (source.kind === "address") return source.address === asked;
  return source.kind === "preserve" && (from.source === undefined || from.source === asked);
};

/** Whether what leaves by an output would be taken by a rule, were it heard again on the output's segment. */
const feeds = (output: RuleOutput, from: RuleInput, to: RuleInput): boolean => {
  if (output.interface !== to.interface || output.group !== to.group) return false;
  // Copies carry no tag.
  if (to.vlan !== undefined) return false;
  if (to.source !== undefined && !canBeFrom(to.source, output, from)) return false;
  // An output that keeps the port sends to any of those that come in.
  const port = output.port === 0 ? from.port : output.port;
  return port === 0 || to.port === 0 || port === to.port;
};

/**
 * The rules that can be reached again from themselves, each cycle once, as the way round: first and last are the same. Of
 * cycles through the same rules only the first that is found. None is missed; but where rules for any port or source meet
 * others, a packet may get back to the first rule and no further.
 */
export function findCycles(rules: readonly Rule[]): (readonly Rule[])[] {
  const byPlace = Map.groupBy(rules, ({ input }) => `${input.interface} ${input.group}`);
  const after = (rule: Rule): Rule[] =>
    rule.outputs.flatMap((output) =>
      (byPlace.get(`${output.interface} ${output.group}`) ?? []).filter(({ input }) =>
        feeds(output, rule.input, input),
      ),
    );
  const cycles: Rule[][] = [];
  const done = new Set<Rule>();
  for (const start of rules) {
    if (done.has(start)) continue;
    // Depth first, without recursion: there may be ten thousand of them in a row.
    const way: Rule[] = [start];
    const rest: Rule[][] = [after(start)];
    const onWay = new Set([start]);
    while (way.length > 0) {
      const next = rest.at(-1)!.pop();
      if (!next) {
        const left = way.pop()!;
        rest.pop();
        onWay.delete(left);
        done.add(left);
      } else if (onWay.has(next)) cycles.push([...way.slice(way.indexOf(next)), next]);
      else if (!done.has(next)) {
        way.push(next);
        rest.push(after(next));
        onWay.add(next);
      }
    }
  }
  return cycles;
}
