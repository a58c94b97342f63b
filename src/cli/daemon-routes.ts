/** The commands that only a running daemon can do: its state, its configurations, what happened, its logs, the bakery. */
import { buildCommand, buildRouteMap, numberParser } from "@stricli/core";
import { argument, flag, json, text, tuple } from "./flags.ts";

const only = { flags: { json }, aliases: { j: "json" } } as const;
const limit = {
  kind: "parsed",
  parse: numberParser,
  brief: "At most so many",
  placeholder: "N",
  optional: true,
} as const;
const configurationId = argument("Number of a configuration, as sluice config list shows it", "ID");

/** `status` */
export const status = buildCommand({
  loader: () => import("./commands/status.ts"),
  parameters: only,
  docs: { brief: "What the daemon is and does" },
});

/** `health` */
export const health = buildCommand({
  loader: () => import("./commands/health.ts"),
  parameters: only,
  docs: { brief: "What is wrong now, and what to do about it; exit code 1 while something is an error" },
});

/** `reload` */
export const reload = buildCommand({
  loader: () => import("./commands/reload.ts"),
  parameters: only,
  docs: { brief: "Let the daemon read all files anew and apply them; a bad file changes nothing" },
});

/** `rollback` */
export const rollback = buildCommand({
  loader: () => import("./commands/rollback.ts"),
  parameters: { ...only, positional: tuple(configurationId) },
  docs: { brief: "Hold the kernel to an earlier configuration until the next reload; files stay as they are" },
});

const configList = buildCommand({
  loader: () => import("./commands/config/list.ts"),
  parameters: only,
  docs: { brief: "Configurations that were carried out" },
});

const configGet = buildCommand({
  loader: () => import("./commands/config/get.ts"),
  parameters: {
    flags: { json, output: text("Write the files into this folder", "DIR") },
    aliases: { j: "json" },
    positional: { kind: "tuple", parameters: [{ ...configurationId, optional: true }] },
  },
  docs: { brief: "The configuration that holds, or the files of an earlier one" },
});

/** `config` */
export const config = buildRouteMap({
  routes: { list: configList, get: configGet },
  docs: { brief: "Configurations that the daemon keeps" },
});

const eventList = buildCommand({
  loader: () => import("./commands/event/list.ts"),
  parameters: {
    flags: {
      json,
      limit,
      kind: text("Only of this kind, such as drift.found", "KIND"),
      follow: flag("Go on with what happens, until interrupted"),
    },
    aliases: { j: "json", f: "follow" },
  },
  docs: { brief: "What happened, the oldest first" },
});

/** `event` */
export const event = buildRouteMap({ routes: { list: eventList }, docs: { brief: "What happened" } });

const changeList = buildCommand({
  loader: () => import("./commands/change/list.ts"),
  parameters: { flags: { json, limit }, aliases: { j: "json" } },
  docs: { brief: "Plans that were carried out or failed: when, by whom, what" },
});

const changeGet = buildCommand({
  loader: () => import("./commands/change/get.ts"),
  parameters: { ...only, positional: tuple(argument("Number of a plan, as sluice change list shows it", "ID")) },
  docs: { brief: "One of them with its actions" },
});

const changeWatch = buildCommand({
  loader: () => import("./commands/change/watch.ts"),
  parameters: only,
  docs: { brief: "How far plans are that are being carried out, until interrupted" },
});

/** `change` */
export const change = buildRouteMap({
  routes: { list: changeList, get: changeGet, watch: changeWatch },
  docs: { brief: "Changes of the kernel that the daemon made" },
});

const logGet = buildCommand({
  loader: () => import("./commands/log/get.ts"),
  parameters: only,
  docs: { brief: "Levels of the daemon's logs" },
});

const logSet = buildCommand({
  loader: () => import("./commands/log/set.ts"),
  parameters: {
    ...only,
    positional: { kind: "array", parameter: argument("CATEGORY=LEVEL, or LEVEL for all", "LEVEL"), minimum: 1 },
  },
  docs: { brief: "Set levels of the daemon's logs, until it is started anew" },
});

/** `log` */
export const log = buildRouteMap({ routes: { get: logGet, set: logSet }, docs: { brief: "The daemon's logs" } });

const bakeryGet = buildCommand({
  loader: async () => (await import("./commands/bakery/get.ts")).get,
  parameters: only,
  docs: { brief: "Where the bakery's commands go, and how many wait" },
});

const bakeryMode = buildCommand({
  loader: async () => (await import("./commands/bakery/get.ts")).mode,
  parameters: {
    ...only,
    positional: {
      kind: "tuple",
      parameters: [
        {
          parse: (word: string): "file" | "execute" => {
            if (word === "file" || word === "execute") return word;
            throw new Error(`there is no mode "${word}", it must be file or execute`);
          },
          brief: "file or execute",
          placeholder: "MODE",
        },
      ],
    },
  },
  docs: { brief: "Write the bakery's commands to a file, or carry them out" },
});

const bakerySend = buildCommand({
  loader: () => import("./commands/bakery/send.ts"),
  parameters: {
    flags: {
      json,
      wait: { kind: "boolean", brief: "Answer when it has been carried out, not when it is queued", default: true },
    },
    aliases: { j: "json" },
    positional: tuple(argument('One command as JSON, such as {"command":"MqSetup"}', "JSON")),
  },
  docs: { brief: "Send one command to the bakery" },
});

/** `bakery` */
export const bakery = buildRouteMap({
  routes: { get: bakeryGet, mode: bakeryMode, send: bakerySend },
  docs: { brief: "The queue that takes LibreQoS's commands" },
});

/** `metrics` */
export const metrics = buildCommand({
  loader: () => import("./commands/metrics.ts"),
  parameters: {},
  docs: { brief: "Metrics in Prometheus' text format" },
});

/** `api` */
export const api = buildCommand({
  loader: () => import("./commands/api.ts"),
  parameters: {},
  docs: { brief: "The API as an OpenAPI 3.1 document" },
});

/** `shaper watch` */
export const watch = buildCommand({
  loader: () => import("./commands/shaper/watch.ts"),
  parameters: {
    flags: {
      json,
      interval: { ...limit, brief: "Milliseconds between samples (default 1000)", placeholder: "MS" },
    },
    aliases: { j: "json" },
  },
  docs: { brief: "What the nodes of the network send, until interrupted" },
});
