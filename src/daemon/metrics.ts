/** Metrics in Prometheus' text format: a table of what is measured, in base units, and how it is read. */
import type { Output } from "../api/routes.ts";
import { openFiles } from "../linux/fd.ts";
import type { Autorate } from "./autorate/autorate.ts";
import { autorateMetrics } from "./autorate/metrics.ts";
import type { Bakery } from "./bakery.ts";
import { CONDITIONS, type ConditionSpec } from "./conditions.ts";
import type { Counters } from "./counters.ts";
import type { Keeper } from "./keeper.ts";
import type { RelayKeeper } from "./relay/relay.ts";
import { relayMetrics } from "./relay/metrics.ts";
import type { Server } from "./server.ts";
import type { Supervisor } from "./supervisor.ts";
import type { System } from "./system.ts";
import type { Watcher } from "./watcher.ts";

/** What is measured. */
export interface Measured {
  readonly system: System;
  readonly keeper: Keeper;
  readonly supervisor: Supervisor;
  readonly server: Server;
  readonly bakery: Bakery;
  readonly watcher: Watcher;
  readonly counters: Counters;
  readonly autorate: Autorate;
  readonly relay: RelayKeeper;
  readonly version: string;
  readonly startedAt: number;
}

/** What one reading of all metrics shares. */
interface Scrape extends Measured {
  /** What nodes have sent, read once. */
  readonly nodes: () => readonly NodeCounters[];
}

type NodeCounters = Output<"shaper.counters">["nodes"][number];

/** A value with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A row of the table; `M` is what it reads. */
export interface Metric<M = Scrape> {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  readonly read: (scrape: M) => readonly Sample[];
}

/** Nodes that have series of their own; the labels of a metric must not grow with the network. */
const NODES = 500;

const one = (value: number): readonly Sample[] => [{ value }];

const escaped = (text: string): string =>
  text
    .replaceAll("\\", String.raw`\\`)
    .replaceAll("\n", String.raw`\n`)
    .replaceAll('"', String.raw`\"`);

/** Counters of the nodes; none while there is nothing to read. */
function readNodes({ counters, keeper }: Measured): readonly NodeCounters[] {
  if (keeper.configuration?.inputs?.source.dialect !== "sluice") return [];
  try {
    return counters.sample().nodes.slice(0, NODES);
  } catch {
    return [];
  }
}

const nodeSamples = ({ nodes }: Scrape, key: "bytes" | "packets"): readonly Sample[] =>
  nodes().flatMap((node) =>
    (["download", "upload"] as const).flatMap((direction): Sample[] => {
      const counted = node[direction];
      return counted ? [{ labels: { node: node.name, direction }, value: counted[key] }] : [];
    }),
  );

/** The table. */
export const METRICS: readonly Metric[] = [
  {
    name: "sluice_build_info",
    type: "gauge",
    help: "Always 1; the version is its label",
    read: ({ version }) => [{ labels: { version }, value: 1 }],
  },
  {
    name: "process_start_time_seconds",
    type: "gauge",
    help: "When the daemon was started, in seconds since the epoch",
    read: ({ startedAt }) => one(startedAt / 1000),
  },
  {
    name: "process_resident_memory_bytes",
    type: "gauge",
    help: "Memory that the daemon holds",
    read: () => one(process.memoryUsage.rss()),
  },
  {
    name: "process_cpu_seconds_total",
    type: "counter",
    help: "Processor time that the daemon used",
    read: () => {
      const { user, system } = process.cpuUsage();
      return one((user + system) / 1e6);
    },
  },
  {
    name: "process_open_fds",
    type: "gauge",
    help: "Descriptors that the daemon holds",
    read: () => one(openFiles()),
  },
  {
    name: "sluice_config_last_reload_successful",
    type: "gauge",
    help: "Whether the files were taken when they were last read",
    read: ({ keeper }) => one(keeper.lastReload.successful ? 1 : 0),
  },
  {
    name: "sluice_config_last_reload_timestamp_seconds",
    type: "gauge",
    help: "When the files were last read, in seconds since the epoch",
    read: ({ keeper }) => one(keeper.lastReload.seconds),
  },
  {
    name: "sluice_health_condition",
    type: "gauge",
    help: "Whether a condition holds (sluice health)",
    read: ({ system }) => {
      const held = new Set(system.journal.health.list().map(({ code }) => code));
      return Object.entries<ConditionSpec>(CONDITIONS).map(([code, { severity }]) => ({
        labels: { code, severity },
        value: held.has(code) ? 1 : 0,
      }));
    },
  },
  {
    name: "sluice_events_total",
    type: "counter",
    help: "Events since the start",
    read: ({ system }) =>
      Object.entries(system.journal.counts).map(([severity, value]) => ({ labels: { severity }, value })),
  },
  {
    name: "sluice_part_running",
    type: "gauge",
    help: "Whether a part of the daemon runs",
    read: ({ supervisor }) =>
      supervisor.parts.map(({ name, state }) => ({ labels: { part: name }, value: state === "running" ? 1 : 0 })),
  },
  {
    name: "sluice_part_restarts_total",
    type: "counter",
    help: "How often a part of the daemon was started again",
    read: ({ supervisor }) =>
      supervisor.parts.map(({ name, restarts }) => ({ labels: { part: name }, value: restarts })),
  },
  {
    name: "sluice_netlink_changes_total",
    type: "counter",
    help: "Changes that the kernel told of",
    read: ({ watcher }) => one(watcher.seen),
  },
  {
    name: "sluice_http_requests_total",
    type: "counter",
    help: "Requests by route and status",
    read: ({ server }) =>
      [...server.counted.requests].map(([key, value]) => {
        const [route = "", status = ""] = key.split(" ");
        return { labels: { route, status }, value };
      }),
  },
  {
    name: "sluice_streams",
    type: "gauge",
    help: "Streams that are open",
    read: ({ server }) => one(server.streams),
  },
  {
    name: "sluice_slow_readers_dropped_total",
    type: "counter",
    help: "Streams that were ended because their reader did not keep up",
    read: ({ server }) => one(server.counted.slowReaders),
  },
  {
    name: "sluice_bakery_commands_total",
    type: "counter",
    help: "Commands of the bakery by what came of them",
    read: ({ bakery }) => [
      { labels: { result: "done" }, value: bakery.counts.carriedOut },
      { labels: { result: "failed" }, value: bakery.counts.failed },
    ],
  },
  {
    name: "sluice_bakery_waiting_commands",
    type: "gauge",
    help: "Commands of the bakery that wait",
    read: ({ bakery }) => one(bakery.waiting),
  },
  {
    name: "sluice_shaper_circuits",
    type: "gauge",
    help: "Circuits of the configuration",
    read: ({ keeper }) => {
      const source = keeper.configuration?.inputs?.source;
      return one(source?.dialect === "sluice" ? source.isp.circuits.length : 0);
    },
  },
  {
    name: "sluice_shaper_node_sent_bytes_total",
    type: "counter",
    help: `Bytes that a node of the network sent; of the first ${NODES} nodes`,
    read: (scrape) => nodeSamples(scrape, "bytes"),
  },
  {
    name: "sluice_shaper_node_sent_packets_total",
    type: "counter",
    help: `Packets that a node of the network sent; of the first ${NODES} nodes`,
    read: (scrape) => nodeSamples(scrape, "packets"),
  },
  ...autorateMetrics,
  ...relayMetrics,
];

function lines({ name, type, help, read }: Metric, scrape: Scrape): string[] {
  const samples = read(scrape).map(({ labels = {}, value }) => {
    const text = Object.entries(labels).map(([label, word]) => `${label}="${escaped(word)}"`);
    return `${name}${text.length > 0 ? `{${text.join(",")}}` : ""} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples];
}

/** All of it. */
export function metricsText(measured: Measured): string {
  let read: readonly NodeCounters[] | undefined;
  const scrape = { ...measured, nodes: () => (read ??= readNodes(measured)) };
  return METRICS.flatMap((metric) => lines(metric, scrape))
    .map((line) => `${line}\n`)
    .join("");
}
