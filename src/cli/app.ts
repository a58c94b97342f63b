/** The command table: every command with its flags and help, each loaded only when it is run. */
import { buildApplication, buildCommand, buildRouteMap, numberParser, text_en as textEn } from "@stricli/core";
import { SluiceError } from "../core/errors.ts";
import { EXIT } from "../core/exit.ts";
import { autorate } from "./autorate-routes.ts";
import type { CliContext } from "./context.ts";
import {
  api,
  bakery,
  change,
  config as configurations,
  event,
  health,
  log,
  metrics,
  reload,
  rollback,
  status,
  watch,
} from "./daemon-routes.ts";
import { dispatcher, doctor, gc, link, program } from "./dispatcher-routes.ts";
import { relay } from "./relay-routes.ts";
import { direct, json, lockTimeout, netns, text } from "./flags.ts";
import { VERSION } from "../linux/version.ts";
import { errorText } from "./render/problems.ts";

/** A file to write: stdout when the flag stands alone. */
const output = (brief: string) => ({ ...text(brief, "FILE"), inferEmpty: true }) as const;
const config = text("Configuration file (default /etc/sluice/sluice.toml)", "FILE");
const place = { json, config, netns, direct } as const;
const placeAliases = { j: "json", c: "config", n: "netns" } as const;
const replaceForeign = {
  kind: "boolean",
  brief: "Replace a root qdisc that sluice did not make",
  default: false,
} as const;
const rebalance = {
  kind: "boolean",
  brief: "Spread everything anew over the queues; packets in moved queues may be reordered",
  default: false,
} as const;

const check = buildCommand({
  loader: () => import("./commands/check.ts"),
  parameters: { flags: { json, config, direct }, aliases: { j: "json", c: "config" } },
  docs: { brief: "Check the configuration and the files it names; touches nothing" },
});

const plan = buildCommand({
  loader: () => import("./commands/plan.ts"),
  parameters: {
    flags: {
      ...place,
      tc: { kind: "boolean", brief: "Show the plan as a tc batch", default: false },
      replaceForeign,
      rebalance,
    },
    aliases: placeAliases,
  },
  docs: { brief: "Show what apply would change; exit code 2 when there is something" },
});

const apply = buildCommand({
  loader: () => import("./commands/apply.ts"),
  parameters: {
    flags: {
      ...place,
      lockTimeout,
      replaceForeign,
      rebalance,
      executor: {
        kind: "enum",
        values: ["netlink", "tc", "file"],
        brief: "How to do it: rtnetlink, tc -batch, or write it to a file only",
        default: "netlink",
      },
      output: text("With --executor file: where to write the tc batch", "FILE"),
    },
    aliases: placeAliases,
  },
  docs: { brief: "Make the kernel hold what the files say" },
});

const cleanup = buildCommand({
  loader: () => import("./commands/cleanup.ts"),
  parameters: { flags: { ...place, lockTimeout }, aliases: placeAliases },
  docs: { brief: "Remove everything that sluice made on the configured interfaces, and nothing else" },
});

const tree = buildCommand({
  loader: () => import("./commands/shaper/tree.ts"),
  parameters: {
    flags: { ...place, circuits: { kind: "boolean", brief: "Show circuits too", default: false } },
    aliases: placeAliases,
  },
  docs: { brief: "The nodes of the network with their rates and what they sent" },
});

const circuitList = buildCommand({
  loader: () => import("./commands/shaper/circuit-list.ts"),
  parameters: { flags: place, aliases: placeAliases },
  docs: { brief: "Every circuit with its plan, what limits it, and what it sent" },
});

const circuitGet = buildCommand({
  loader: () => import("./commands/shaper/circuit-get.ts"),
  parameters: {
    flags: place,
    aliases: placeAliases,
    positional: { kind: "tuple", parameters: [{ parse: String, brief: "Circuit id", placeholder: "ID" }] },
  },
  docs: { brief: "One circuit: rates, counters, the path to the root and which node limits it" },
});

const circuit = buildRouteMap({
  routes: { list: circuitList, get: circuitGet },
  docs: { brief: "Subscribers' circuits" },
});

const exported = buildCommand({
  loader: () => import("./commands/shaper/export.ts"),
  parameters: {
    flags: {
      ...place,
      dialect: { kind: "enum", values: ["libreqos"], brief: "Whose rules to build by" },
      conf: text("LibreQoS's configuration instead of sluice.toml", "FILE"),
      from: text("With --conf: folder of the two data files", "DIR"),
      queues: {
        kind: "parsed",
        parse: numberParser,
        brief: "Queues found, instead of asking the interfaces",
        placeholder: "N",
        optional: true,
      },
      strict: { kind: "boolean", brief: "Refuse what LibreQoS's Rust side would refuse too", default: false },
      tc: output("linux_tc.txt; stdout without FILE"),
      queuingStructure: output("queuingStructure.json"),
      ipMappings: output("Address mappings, as JSON lines"),
    },
    aliases: placeAliases,
  },
  docs: { brief: "Write what LibreQoS would run for the same files" },
});

const migrateLibreqos = buildCommand({
  loader: () => import("./commands/migrate/libreqos.ts"),
  parameters: {
    flags: {
      json,
      conf: text("lqos.conf (default /etc/lqos.conf)", "FILE"),
      from: text("Folder of the two data files", "DIR"),
      output: text("Write sluice.toml here; never over a file", "FILE"),
    },
    aliases: { j: "json" },
  },
  docs: { brief: "Show what changes when LibreQoS's files are shaped by sluice, and write a sluice.toml" },
});

const migrate = buildRouteMap({
  routes: { libreqos: migrateLibreqos },
  docs: { brief: "Change over from other tools" },
});

const shaper = buildRouteMap({
  routes: { tree, circuit, watch, export: exported },
  docs: { brief: "Look at the shaper" },
});

const root = buildRouteMap({
  routes: {
    check,
    plan,
    apply,
    cleanup,
    status,
    health,
    reload,
    rollback,
    config: configurations,
    change,
    event,
    log,
    shaper,
    autorate,
    relay,
    bakery,
    program,
    link,
    dispatcher,
    doctor,
    gc,
    metrics,
    api,
    migrate,
  },
  docs: { brief: "One control plane for the traffic of a Linux router" },
});

/** The application. */
export const app = buildApplication<CliContext>(root, {
  name: "sluice",
  // oxlint-disable-next-line typescript/no-deprecated -- its successor takes the place of --help too, which is wanted as it is
  versionInfo: { currentVersion: VERSION },
  scanner: { caseStyle: "allow-kebab-for-camel" },
  determineExitCode: (error) => (error instanceof SluiceError ? error.exitCode : EXIT.failure),
  localization: {
    loadText: () => ({ ...textEn, exceptionWhileRunningCommand: errorText }),
  },
});
