/** The commands of the relay. */
import { buildCommand, buildRouteMap, numberParser } from "@stricli/core";
import { argument, flag, json, text, tuple } from "./flags.ts";

const rule = argument("Id or name of a rule", "RULE");
const onlyJson = { flags: { json }, aliases: { j: "json" } } as const;
const number = (brief: string) =>
  ({ kind: "parsed", parse: numberParser, brief, placeholder: "N", optional: true }) as const;

const ruleList = buildCommand({
  loader: () => import("./commands/relay/rule-list.ts"),
  parameters: onlyJson,
  docs: { brief: "Every rule, who carries it out, and its rate" },
});

const ruleGet = buildCommand({
  loader: () => import("./commands/relay/rule-get.ts"),
  parameters: { ...onlyJson, positional: tuple(rule) },
  docs: { brief: "One rule with its outputs" },
});

const ruleAdd = buildCommand({
  loader: () => import("./commands/relay/rule-add.ts"),
  parameters: {
    flags: {
      json,
      id: text("Its id, instead of one made of the input; a rule that has it is replaced", "ID"),
      name: text("What to call it", "NAME"),
      source: text("Only packets from this address", "ADDRESS"),
      vlan: number("Only packets of this VLAN"),
      engine: {
        kind: "enum",
        values: ["auto", "kernel", "user"],
        brief: "Who carries it out (default auto)",
        optional: true,
      },
      class: {
        kind: "enum",
        values: ["high", "normal", "low"],
        brief: "Lower classes are given up first under overload (default normal)",
        optional: true,
      },
      maxRate: text("Let no more through than this", "RATE"),
      maxPackets: number("Let no more packets a second through than this"),
    },
    aliases: { j: "json" },
    positional: {
      kind: "array",
      parameter: argument(
        "GROUP:PORT@INTERFACE that comes in, then outputs: [GROUP[:PORT]@]INTERFACE[,ttl=N,...]",
        "PLACE",
      ),
      minimum: 2,
    },
  },
  docs: { brief: "Add a rule, kept across restarts: 239.1.1.1:5000@eth0 239.2.2.2:6000@eth1,ttl=8" },
});

const ruleRemove = buildCommand({
  loader: () => import("./commands/relay/rule-remove.ts"),
  parameters: { ...onlyJson, positional: tuple(rule) },
  docs: { brief: "Remove a rule that was added" },
});

const rules = buildRouteMap({
  routes: { list: ruleList, get: ruleGet, add: ruleAdd, remove: ruleRemove },
  docs: { brief: "What is copied to where" },
});

const stats = buildCommand({
  loader: () => import("./commands/relay/stats.ts"),
  parameters: onlyJson,
  docs: { brief: "What went through by rule, output and interface, and what was dropped and why" },
});

const workerList = buildCommand({
  loader: () => import("./commands/relay/worker-list.ts"),
  parameters: onlyJson,
  docs: { brief: "The processes that copy what the kernel does not" },
});

const worker = buildRouteMap({ routes: { list: workerList }, docs: { brief: "Processes that copy packets" } });

const trace = buildCommand({
  loader: () => import("./commands/relay/trace.ts"),
  parameters: {
    flags: {
      json,
      packets: number("At most so many packets (default 20)"),
      seconds: number("Wait at most so long (default 5)"),
    },
    aliases: { j: "json" },
    positional: tuple(rule),
  },
  docs: { brief: "The next packets of a rule, with what became of each" },
});

const why = buildCommand({
  loader: () => import("./commands/relay/why.ts"),
  parameters: { ...onlyJson, positional: tuple(argument("A group", "GROUP")) },
  docs: { brief: "Why packets of a group arrive, or do not" },
});

const file = argument("A file with [[relay.rules]]", "FILE");

const check = buildCommand({
  loader: () => import("./commands/relay/check.ts"),
  parameters: { ...onlyJson, positional: tuple(file) },
  docs: { brief: "Check the rules of a file; touches nothing" },
});

const load = buildCommand({
  loader: () => import("./commands/relay/load.ts"),
  parameters: {
    flags: { json, replace: flag("Remove rules that were added before and are not in it") },
    aliases: { j: "json" },
    positional: tuple(file),
  },
  docs: { brief: "Add the rules of a file; those that are there already are not touched" },
});

const save = buildCommand({
  loader: () => import("./commands/relay/save.ts"),
  parameters: {
    flags: { json, output: text("Write it here; never over a file", "FILE") },
    aliases: { j: "json", o: "output" },
  },
  docs: { brief: "Show all rules as a file that can be loaded" },
});

const imported = buildCommand({
  loader: () => import("./commands/relay/import.ts"),
  parameters: {
    flags: { json, output: text("Write it here; never over a file", "FILE") },
    aliases: { j: "json", o: "output" },
    positional: tuple(argument("A configuration of MCR (JSON5)", "FILE")),
  },
  docs: { brief: "Show the [relay] that does what a configuration of MCR says" },
});

const places = (brief: string) =>
  ({ kind: "array", parameter: argument(`${brief}: GROUP:PORT@INTERFACE`, "PLACE"), minimum: 1 }) as const;
const withDefault = (brief: string, value: string) =>
  ({ kind: "parsed", parse: numberParser, brief, placeholder: "N", default: value }) as const;

const generate = buildCommand({
  loader: () => import("./commands/relay/generate.ts"),
  parameters: {
    flags: {
      json,
      netns: text("Send from this network namespace (name or path)", "NS"),
      rate: {
        kind: "parsed",
        parse: String,
        brief: "Packets a second to each place, such as 250k, or max",
        placeholder: "RATE",
        default: "1000",
      },
      size: withDefault("Bytes of payload of each", "1400"),
      seconds: withDefault("For so long", "10"),
      packets: number("So many to each place, instead"),
      source: text("From this address of the host", "ADDRESS"),
      ttl: withDefault("Time to live of each", "8"),
    },
    aliases: { j: "json" },
    positional: places("Where to send"),
  },
  docs: { brief: "Send numbered datagrams at a pace, to measure by" },
});

const sink = buildCommand({
  loader: () => import("./commands/relay/sink.ts"),
  parameters: {
    flags: {
      json,
      netns: text("Listen in this network namespace (name or path)", "NS"),
      seconds: withDefault("For so long at most", "60"),
      idle: withDefault("Stop when nothing has come for so many seconds, after something has", "2"),
    },
    aliases: { j: "json" },
    positional: places("Where to listen"),
  },
  docs: { brief: "What arrives of them: lost, twice, reordered, how late" },
});

/** `relay` */
export const relay = buildRouteMap({
  routes: { rule: rules, stats, worker, trace, why, check, load, save, import: imported, generate, sink },
  docs: { brief: "Multicast between segments that do not route" },
});
