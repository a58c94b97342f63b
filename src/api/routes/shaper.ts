/** Routes of the shaper and the bakery. */
import * as v from "valibot";
import { digits, lockTimeout, word, yesNo } from "../schemas/common.ts";
import * as s from "../schemas/shaper.ts";
import { acknowledged, bakery } from "../schemas/system.ts";
import { route } from "../route.ts";

const planning = { replaceForeign: v.exactOptional(yesNo, "false"), rebalance: v.exactOptional(yesNo, "false") };

/** Lines for tc are many: LibreQoS sends all of a tree in one command. */
const BAKERY_LIMIT = 32 << 20;

/** The rows. */
export const SHAPER_ROUTES = {
  "shaper.check": route({
    method: "GET",
    path: "/v1/shaper/check",
    summary: "Check the configuration and the files it names; touches nothing",
    access: "read",
    response: s.check,
    example: {},
  }),
  "shaper.plan": route({
    method: "GET",
    path: "/v1/shaper/plan",
    summary: "What apply would change; its tag can stand in If-Match of an apply",
    access: "read",
    query: v.object(planning),
    response: s.plan,
    errors: ["FOREIGN_QDISC", "INTERFACE_MISSING"],
    example: { query: { rebalance: "true" } },
  }),
  "shaper.apply": route({
    method: "POST",
    path: "/v1/shaper/apply",
    summary: "Make the kernel hold what the files say",
    access: "change",
    conditional: true,
    body: v.strictObject({
      replaceForeign: v.exactOptional(v.boolean(), false),
      rebalance: v.exactOptional(v.boolean(), false),
      executor: v.exactOptional(v.picklist(["netlink", "tc"]), "netlink"),
      lockTimeout,
    }),
    response: s.applied,
    errors: ["STATE_MOVED", "FOREIGN_QDISC", "APPLY_ROLLED_BACK", "LOCK_TIMEOUT"],
    example: { body: {} },
  }),
  "shaper.cleanup": route({
    method: "POST",
    path: "/v1/shaper/cleanup",
    summary: "Remove everything that sluice made on the configured interfaces, and nothing else",
    access: "change",
    conditional: true,
    body: v.strictObject({ lockTimeout }),
    response: s.cleaned,
    errors: ["STATE_MOVED", "LOCK_TIMEOUT"],
    example: { body: {} },
  }),
  "shaper.tree": route({
    method: "GET",
    path: "/v1/shaper/tree",
    summary: "The nodes of the network with their rates and what they sent",
    access: "read",
    query: v.object({ circuits: v.exactOptional(yesNo, "false") }),
    response: s.tree,
    example: { query: { circuits: "true" } },
  }),
  "shaper.circuits": route({
    method: "GET",
    path: "/v1/shaper/circuits",
    summary: "Every circuit with its plan, what limits it, and what it sent",
    access: "read",
    response: s.circuits,
    example: {},
  }),
  "shaper.circuit": route({
    method: "GET",
    path: "/v1/shaper/circuits/{id}",
    summary: "One circuit: rates, counters, the path to the root",
    access: "read",
    params: v.object({ id: word(256) }),
    response: s.oneCircuit,
    errors: ["NOT_FOUND"],
    example: { params: { id: "1001" } },
  }),
  "shaper.counters": route({
    method: "GET",
    path: "/v1/shaper/counters/stream",
    summary: "What nodes have sent so far, and the circuits that are named, every so many milliseconds",
    access: "read",
    answers: "stream",
    query: v.object({
      interval: v.exactOptional(digits(100, 3_600_000), "1000"),
      /** Ids of circuits, with commas. */
      circuits: v.exactOptional(word(4096)),
      after: v.exactOptional(digits(0)),
    }),
    response: s.counterSample,
    example: { query: { interval: "100" } },
  }),
  "shaper.export": route({
    method: "GET",
    path: "/v1/shaper/export",
    summary: "What LibreQoS would run and write for the same files",
    access: "read",
    query: v.object({ queues: v.exactOptional(digits(1, 1024)), strict: v.exactOptional(yesNo, "false") }),
    response: s.exported,
    errors: ["LIBREQOS_QUEUES"],
    // LibreQoS wants a minimum for every circuit, which examples/isp does not give.
    example: { query: { queues: "4" }, status: 422 },
  }),
  "bakery.get": route({
    method: "GET",
    path: "/v1/bakery",
    summary: "Where the bakery's commands go, and how many wait",
    access: "read",
    response: bakery,
    example: {},
  }),
  "bakery.mode": route({
    method: "PUT",
    path: "/v1/bakery/mode",
    summary: "Write the bakery's commands to a file, or carry them out; until the daemon is started anew",
    access: "change",
    conditional: true,
    body: v.strictObject({ mode: v.picklist(["file", "execute"]) }),
    response: bakery,
    errors: ["STATE_MOVED"],
    example: { body: { mode: "file" } },
  }),
  "bakery.command": route({
    method: "POST",
    path: "/v1/bakery/commands",
    summary: "One command of the bakery, in LibreQoS's names; answered when it has been carried out",
    access: "change",
    query: v.object({ wait: v.exactOptional(yesNo, "true") }),
    /** Its fields are read by the bakery itself, which says what is wrong with each. */
    body: v.looseObject({ command: v.string() }),
    bodyLimit: BAKERY_LIMIT,
    response: acknowledged,
    errors: ["BAKERY_COMMAND", "BAKERY_BUSY", "BAKERY_LINES", "BAKERY_UNCONFIGURED"],
    example: { body: { command: "MqSetup" } },
  }),
} as const;
