/** Metrics of the relay: rows of the table in ../metrics.ts. */
import type { RelayRuleJson } from "../../api/schemas/relay.ts";
import type { Metric, Sample } from "../metrics.ts";
import { interfacesJson } from "./json.ts";
import type { RelayKeeper } from "./relay.ts";

interface Read {
  readonly relay: RelayKeeper;
}

/** Rules that have series of their own. */
const RULES = 500;

const nameOf = ({ id, name }: RelayRuleJson): string => name ?? id;

const each = ({ relay }: Read, read: (rule: RelayRuleJson) => readonly Sample[]): readonly Sample[] =>
  relay.list().slice(0, RULES).flatMap(read);

const byRule = (key: "packets" | "bytes") => (read: Read) =>
  each(read, (rule) => [{ labels: { rule: nameOf(rule) }, value: rule.counters[key] }]);

const byOutput = (key: "packets" | "bytes") => (read: Read) =>
  each(read, (rule) =>
    rule.outputs.map(({ interface: device, group, port, counters }) => ({
      labels: { rule: nameOf(rule), interface: device, group, port: String(port) },
      value: counters[key],
    })),
  );

/** The rows. */
export const relayMetrics: readonly Metric<Read>[] = [
  {
    name: "sluice_relay_rules",
    type: "gauge",
    help: "Rules by their state",
    read: ({ relay }) => {
      const states = relay.list().map(({ state }) => state);
      return (["active", "pending", "paused", "idle"] as const).map((state) => ({
        labels: { state },
        value: states.filter((other) => other === state).length,
      }));
    },
  },
  {
    name: "sluice_relay_received_packets_total",
    type: "counter",
    help: "Packets that came in for a rule",
    read: byRule("packets"),
  },
  {
    name: "sluice_relay_received_bytes_total",
    type: "counter",
    help: "Payload of packets that came in for a rule",
    read: byRule("bytes"),
  },
  {
    name: "sluice_relay_sent_packets_total",
    type: "counter",
    help: "Copies that an output of a rule sent",
    read: byOutput("packets"),
  },
  {
    name: "sluice_relay_sent_bytes_total",
    type: "counter",
    help: "Payload of copies that an output of a rule sent",
    read: byOutput("bytes"),
  },
  {
    name: "sluice_relay_dropped_packets_total",
    type: "counter",
    help: "Packets or copies of a rule that were not sent on, by reason",
    read: (read) =>
      each(read, (rule) =>
        (["sendErrors", "tooLarge", "capped", "shed"] as const).map((reason) => ({
          labels: { rule: nameOf(rule), reason },
          value: [rule, ...rule.outputs].reduce((sum, { counters }) => sum + counters[reason], 0),
        })),
      ),
  },
  {
    name: "sluice_relay_passed_over_packets_total",
    type: "counter",
    help: "Packets of an input that no rule took, or that were not right, by reason",
    read: ({ relay }) =>
      interfacesJson(relay.part?.relay?.inputs() ?? []).flatMap(({ interface: device, passedOver }) =>
        Object.entries(passedOver).map(([reason, value]) => ({ labels: { interface: device, reason }, value })),
      ),
  },
  {
    name: "sluice_relay_ring_dropped_packets_total",
    type: "counter",
    help: "Packets that the kernel dropped because the ring of a worker was full",
    read: ({ relay }) =>
      interfacesJson(relay.part?.relay?.inputs() ?? []).map(({ interface: device, ring }) => ({
        labels: { interface: device },
        value: ring.drops,
      })),
  },
];
