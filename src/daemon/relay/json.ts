/** Rules of the relay as the API shows them. Pure. */
import type { Output } from "../../api/routes.ts";
import { sourceText } from "../../control/relay/json.ts";
import type { RelayInterfaceJson, RelayRuleJson, RelayWorkerJson } from "../../api/schemas/relay.ts";
import type { Input } from "../../relay/input.ts";
import { REASONS } from "../../relay/model.ts";
import type { RuleView, WorkerView } from "../../relay/relay.ts";
import type { TracedPacket } from "../../relay/worker/message-codec.ts";
import { RING_COUNTERS } from "../../relay/worker/cells.ts";

/** A rule. */
export function ruleJson({ resolved, counts, speed, ...view }: RuleView): RelayRuleJson {
  const { rule, state, reason, slot, outputs } = resolved;
  const { input, cap } = rule;
  return {
    id: rule.id,
    name: rule.name ?? null,
    origin: rule.origin,
    interface: input.interface,
    group: input.group,
    port: input.port,
    source: input.source ?? null,
    vlan: input.vlan ?? null,
    engine: rule.engine,
    class: rule.class,
    maxBitsPerSecond: cap.bitsPerSecond ?? null,
    maxPacketsPerSecond: cap.packetsPerSecond ?? null,
    state,
    reason: reason ?? null,
    carriedBy: view.carriedBy ?? null,
    kernelReason: view.kernelReason ?? null,
    joined: view.joined === undefined ? null : view.joined === true,
    counters: counts(slot),
    ...speed,
    outputs: rule.outputs.map((output, index) => ({
      interface: output.interface,
      group: output.group,
      port: output.port,
      ttl: output.ttl,
      dscp: output.dscp ?? null,
      source: sourceText(output.source),
      reason: outputs[index]?.reason ?? null,
      counters: counts(outputs[index]!.slot),
    })),
  };
}

/** What inputs passed over, all of their workers together. */
export const interfacesJson = (inputs: readonly Input[]): RelayInterfaceJson[] =>
  inputs.map(({ link, workers }) => {
    const sum = (at: (cells: (typeof workers)[number]["cells"]) => number): number =>
      workers.reduce((all, { cells, counters }) => all + (counters[at(cells)] ?? 0), 0);
    const named = <N extends string>(names: readonly N[], first: "reasons" | "ring") =>
      Object.fromEntries(names.map((name, index) => [name, sum((cells) => cells[first] + index)])) as Record<N, number>;
    return { interface: link.name, passedOver: named(REASONS, "reasons"), ring: named(RING_COUNTERS, "ring") };
  });

/** A worker. */
export const workerJson = ({ device, index, status, rules, cpus }: WorkerView): RelayWorkerJson => ({
  interface: device,
  index,
  pid: status.pid ?? null,
  state: status.state,
  reason: status.reason ?? null,
  restarts: status.restarts,
  backoffMs: status.backoff === undefined ? null : Math.round(status.backoff),
  cpus: [...cpus],
  rules,
});

/** A packet that was traced. */
export const tracedJson = (packet: TracedPacket): Output<"relay.trace">["packets"][number] => ({
  time: new Date(packet.time).toISOString(),
  source: packet.source,
  destination: packet.destination,
  bytes: packet.length,
  outcome: packet.outcome,
});
