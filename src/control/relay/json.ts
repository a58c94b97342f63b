/** Rules as the API is given them and as files have them. Pure. */
import type { NewRuleJson, RelayRuleJson } from "../../api/schemas/relay.ts";
import type { Rule, RuleOutput, SourceChoice } from "../../relay/model.ts";

/** `rewrite`, `preserve`, or the address. */
export const sourceText = (source: SourceChoice): string => (source.kind === "address" ? source.address : source.kind);

/** A rule that can be added, with its id. */
export type WholeRule = NewRuleJson & { readonly id: string };

const outputTable = ({ interface: device, group, port, ttl, dscp, source }: RuleOutput) => ({
  interface: device,
  group,
  port,
  ttl,
  ...(dscp !== undefined && { dscp }),
  source: sourceText(source),
});

/** A rule as it is kept and can be added again. */
export function newRuleJson({ id, name, input, outputs, engine, class: trafficClass, cap }: Rule): WholeRule {
  return {
    id,
    ...(name !== undefined && { name }),
    ...input,
    outputs: outputs.map(outputTable),
    engine,
    class: trafficClass,
    ...(cap.bitsPerSecond !== undefined && { maxBitsPerSecond: cap.bitsPerSecond }),
    ...(cap.packetsPerSecond !== undefined && { maxPacketsPerSecond: cap.packetsPerSecond }),
  };
}

/** The same as a table of the configuration, for the reader of rules. */
export function ruleTable({ maxBitsPerSecond, maxPacketsPerSecond, ...rest }: NewRuleJson): Record<string, unknown> {
  return {
    ...rest,
    ...(maxBitsPerSecond !== undefined && { max_rate: `${maxBitsPerSecond}bit` }),
    ...(maxPacketsPerSecond !== undefined && { max_packets: maxPacketsPerSecond }),
  };
}

/** A rule that the API showed, as it can be added again. */
export function shownRule(rule: RelayRuleJson): WholeRule {
  const { id, name, source, vlan, maxBitsPerSecond, maxPacketsPerSecond } = rule;
  return {
    id,
    ...(name !== null && { name }),
    interface: rule.interface,
    group: rule.group,
    port: rule.port,
    ...(source !== null && { source }),
    ...(vlan !== null && { vlan }),
    outputs: rule.outputs.map(({ interface: device, group, port, ttl, dscp, source: from }) => ({
      interface: device,
      group,
      port,
      ttl,
      ...(dscp !== null && { dscp }),
      source: from,
    })),
    engine: rule.engine,
    class: rule.class,
    ...(maxBitsPerSecond !== null && { maxBitsPerSecond }),
    ...(maxPacketsPerSecond !== null && { maxPacketsPerSecond }),
  };
}
