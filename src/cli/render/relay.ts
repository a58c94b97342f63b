/** The relay, for people. */
import type { RelayInterfaceJson, RelayRuleJson, RelayWorkerJson } from "../../api/schemas/relay.ts";
import { humanBytes, humanRate } from "../../core/units.ts";
import type { Output } from "../context.ts";
import { printable } from "./printable.ts";
import { type Column, style, table } from "./table.ts";

const NONE = "-";

/** `239.1.1.1:5000`, `[ff3e::1]:5000`. */
const endpoint = (group: string, port: number): string =>
  `${group.includes(":") ? `[${group}]` : group}:${port === 0 ? "any" : port}`;

/** What a rule takes: `239.1.1.1:5000@eth0 from 10.0.0.7, VLAN 10`. */
const inputText = ({ group, port, interface: device, source, vlan }: RelayRuleJson): string =>
  [`${endpoint(group, port)}@${device}`, source !== null && `from ${source}`, vlan !== null && `VLAN ${vlan}`]
    .filter(Boolean)
    .join(" ");

const stateText = ({ state, reason, carriedBy }: RelayRuleJson): string =>
  state === "active" ? `active, ${carriedBy ?? "starting"}` : `${state}: ${reason ?? ""}`;

const dropped = ({ counters }: { readonly counters: RelayRuleJson["counters"] }): number =>
  counters.sendErrors + counters.tooLarge + counters.capped + counters.shed;

/** Columns of rules. */
export const RULE_COLUMNS: readonly Column<RelayRuleJson>[] = [
  { title: "RULE", cell: ({ id, name }) => name ?? id },
  { title: "IN", cell: inputText },
  {
    title: "OUT",
    cell: ({ outputs }) => outputs.map((o) => `${endpoint(o.group, o.port)}@${o.interface}`).join(", "),
  },
  { title: "STATE", cell: stateText },
  { title: "PACKETS/S", align: "right", cell: ({ packetsPerSecond }) => Math.round(packetsPerSecond).toString() },
];

interface StatsRow {
  readonly what: string;
  readonly counters: RelayRuleJson["counters"];
  readonly rate?: string;
}

const STATS: readonly Column<StatsRow>[] = [
  { title: "", cell: ({ what }) => what },
  { title: "PACKETS", align: "right", cell: ({ counters }) => String(counters.packets) },
  { title: "BYTES", align: "right", cell: ({ counters }) => humanBytes(counters.bytes) },
  { title: "RATE", align: "right", cell: ({ rate }) => rate ?? "" },
  { title: "NOT SENT", align: "right", cell: ({ counters }) => String(counters.sendErrors) },
  { title: "TOO LARGE", align: "right", cell: ({ counters }) => String(counters.tooLarge) },
  { title: "CAPPED", align: "right", cell: ({ counters }) => String(counters.capped) },
  { title: "SHED", align: "right", cell: ({ counters }) => String(counters.shed) },
];

const rateText = ({ packetsPerSecond, bitsPerSecond }: RelayRuleJson): string =>
  `${Math.round(packetsPerSecond)}/s ${humanRate(Math.round(bitsPerSecond))}`;

/** Rules and their outputs with all counters, then interfaces. */
export function statsLines(
  rules: readonly RelayRuleJson[],
  interfaces: readonly RelayInterfaceJson[],
  output: Output,
): string[] {
  const rows = rules.flatMap((rule): StatsRow[] => [
    { what: `${rule.name ?? rule.id}: ${inputText(rule)}`, counters: rule.counters, rate: rateText(rule) },
    ...rule.outputs.map((to) => ({
      what: `  to ${endpoint(to.group, to.port)}@${to.interface}`,
      counters: to.counters,
    })),
  ]);
  const lines = table(rows, STATS, output);
  for (const { interface: device, passedOver, ring } of interfaces) {
    const over = Object.entries(passedOver)
      .filter(([, packets]) => packets > 0)
      .map(([reason, packets]) => `${reason} ${packets}`)
      .join(", ");
    // The kernel counts what was joined on its way as one.
    const text = `${device}: passed over ${over || "nothing"}; ${ring.packets} frames to workers, ${ring.drops} lost before them`;
    lines.push("", printable(text));
  }
  return lines;
}

/** One rule with its outputs. */
export function ruleLines(rule: RelayRuleJson, output: Output): string[] {
  const lines = [
    style("bold", printable(`${rule.name ?? rule.id}: ${stateText(rule)}`), output),
    printable(`  takes ${inputText(rule)}`),
    printable(`  id ${rule.id}, ${rule.origin}, engine ${rule.engine}, class ${rule.class}`),
  ];
  if (rule.kernelReason !== null) lines.push(printable(`  not in the kernel: ${rule.kernelReason}`));
  if (rule.joined === false) lines.push("  its group is not joined");
  const caps = [
    rule.maxBitsPerSecond !== null && humanRate(rule.maxBitsPerSecond),
    rule.maxPacketsPerSecond !== null && `${rule.maxPacketsPerSecond} packets/s`,
  ].filter(Boolean);
  if (caps.length > 0) lines.push(`  capped at ${caps.join(" and ")}`);
  for (const to of rule.outputs) {
    const dscp = to.dscp === null ? "" : `, DSCP ${to.dscp}`;
    const text = `  to ${endpoint(to.group, to.port)}@${to.interface}, TTL ${to.ttl}${dscp}, source ${to.source}`;
    lines.push(printable(to.reason === null ? text : `${text}: ${to.reason}`));
  }
  lines.push(`  ${rule.counters.packets} packets came, ${rateText(rule)}; ${dropped(rule)} dropped`);
  return lines;
}

/** Columns of workers. */
export const WORKER_COLUMNS: readonly Column<RelayWorkerJson>[] = [
  { title: "INTERFACE", cell: (worker) => worker.interface },
  { title: "WORKER", align: "right", cell: ({ index }) => String(index) },
  { title: "PID", align: "right", cell: ({ pid }) => (pid === null ? NONE : String(pid)) },
  {
    title: "STATE",
    cell: ({ state, backoffMs, reason }) =>
      [state, backoffMs !== null && `again in ${backoffMs} ms`, state !== "running" && reason !== null && reason]
        .filter(Boolean)
        .join(", "),
  },
  { title: "RULES", align: "right", cell: ({ rules }) => String(rules) },
  { title: "RESTARTS", align: "right", cell: ({ restarts }) => String(restarts) },
  { title: "CPUS", cell: ({ cpus }) => (cpus.length === 0 ? "any" : cpus.join(",")) },
];
