/** What each route does in the daemon. */
import type { Output } from "../api/routes.ts";
import type { EventJson } from "../api/schemas/system.ts";
import { type LocalRoute, OPERATIONS } from "../control/operations.ts";
import { circuitOutput, circuitsOutput, treeOutput } from "../control/shaper/view.ts";
import type { Inputs } from "../control/files.ts";
import { sluiceError } from "../core/errors.ts";
import { guard } from "../store/db.ts";
import type { Autorate, LinkTick } from "./autorate/autorate.ts";
import { linkJson, tickJson } from "./autorate/json.ts";
import type { Bakery } from "./bakery.ts";
import type { Counters } from "./counters.ts";
import type { Keeper } from "./keeper.ts";
import type { Logs } from "./logs.ts";
import { type Measured, metricsText } from "./metrics.ts";
import type { CallContext, Handlers, Streamers } from "./server.ts";
import { healthOutput, statusOutput, type StatusInput } from "./status.ts";
import * as configurations from "./store/configurations.ts";
import * as plans from "./store/plans.ts";
import type { System } from "./system.ts";
import type { RelayKeeper } from "./relay/relay.ts";
import { interfacesJson, tracedJson, workerJson } from "./relay/json.ts";
import type { Numbered } from "./topic.ts";

/** What handlers work on. */
export interface Parts {
  readonly system: System;
  readonly keeper: Keeper;
  readonly bakery: Bakery;
  readonly counters: Counters;
  readonly autorate: Autorate;
  readonly relay: RelayKeeper;
  readonly logs: Logs;
  readonly version: string;
  readonly status: () => StatusInput;
  readonly measured: () => Measured;
  /** Lets the watcher look soon. */
  readonly wake: (reason: string) => void;
}

/** Changes of programs and links, which are told. */
const CHANGES: readonly LocalRoute[] = [
  "programs.load",
  "programs.pull",
  "programs.unload",
  "links.attach",
  "links.detach",
  "gc",
];

type Local = (place: System["place"], input: unknown) => Promise<object>;
type Change = (input: { readonly body: { readonly plan?: boolean } }, context: CallContext) => Promise<object>;

/** What the command line would do by itself; what the daemon does otherwise takes the place of some of it. */
function localHandlers({ system }: Parts): Handlers {
  const { place, serial, journal } = system;
  const changing =
    (name: LocalRoute, operate: Local): Change =>
    async (input, { caller }) => {
      const body = (): Promise<object> => operate(place, input);
      // A registry may take its time, for which nothing else shall wait; the change itself waits for the lock as always.
      const output = await (name === "programs.pull" ? body() : serial.run(body));
      if (!input.body.plan) journal.record("dispatcher.changed", "info", `${name} for ${caller.who}`, { route: name });
      return output;
    };
  const handlers = Object.entries(OPERATIONS).map(([key, operation]) => {
    const [name, operate] = [key as LocalRoute, operation as Local];
    return [name, CHANGES.includes(name) ? changing(name, operate) : (input: unknown) => operate(place, input)];
  });
  return Object.fromEntries(handlers) as Handlers;
}

function shaperHandlers({ system, keeper, bakery, wake }: Parts): Handlers {
  const { place } = system;
  const inputs = (): Inputs => {
    const found = keeper.configuration?.inputs;
    if (found) return found;
    throw sluiceError("SHAPER_UNCONFIGURED", { file: place.config });
  };
  return {
    "shaper.apply": ({ body }, { caller, ifMatch }) => {
      const { executor, ...options } = body;
      return keeper.apply({ who: caller.who, ifMatch }, { ...options, executor: { kind: executor } });
    },
    "shaper.cleanup": ({ body }, { caller, ifMatch }) => keeper.cleanup({ who: caller.who, ifMatch }, body.lockTimeout),
    "shaper.tree": ({ query }) => treeOutput(place, inputs(), query.circuits),
    "shaper.circuits": () => circuitsOutput(place, inputs()),
    "shaper.circuit": ({ params }) => circuitOutput(place, inputs(), params.id),
    "bakery.get": () => bakery.output(),
    "bakery.mode": ({ body }, { caller, ifMatch }) => {
      if (ifMatch !== undefined && ifMatch !== bakery.tag)
        throw sluiceError("STATE_MOVED", { actual: bakery.tag, wanted: ifMatch });
      bakery.switch(body.mode, caller.who);
      wake("the bakery's mode was switched");
      return bakery.output();
    },
    "bakery.command": async ({ body, query }): Promise<Output<"bakery.command">> => {
      await bakery.submit(body, query.wait);
      return { schema: "sluice/bakery-answer/1", answer: "Ack" };
    },
  };
}

function autorateHandlers({ autorate, system }: Parts): Handlers {
  const now = (): number => system.place.clock.monotonic() / 1000;
  return {
    "autorate.links": () => ({
      schema: "sluice/autorate/1",
      links: autorate.links.map(({ state }) => linkJson(state, now())),
    }),
    "autorate.link": ({ params: { name }, query }) => {
      const link = autorate.link(name);
      const hint = "sluice autorate status shows those that there are";
      if (!link) throw sluiceError("NOT_FOUND", { noun: "link", id: name, hint });
      const history = link.history(query.ticks).map((record) => tickJson(record));
      return { schema: "sluice/autorate-link/1", link: linkJson(link.state, now()), history };
    },
  };
}

function relayHandlers({ relay }: Parts): Handlers {
  return {
    "relay.rules": () => ({ schema: "sluice/relay-rules/1", rules: relay.list() }),
    "relay.rule": ({ params }) => ({ schema: "sluice/relay-rule/1", rule: relay.find(params.id) }),
    "relay.add": async ({ body }, { caller }): Promise<Output<"relay.add">> => ({
      schema: "sluice/relay-added/1",
      ...(await relay.add(body, caller.who)),
    }),
    "relay.load": async ({ body }, { caller }): Promise<Output<"relay.load">> => ({
      schema: "sluice/relay-load/1",
      ...(await relay.load(body.rules, body.replace, caller.who)),
    }),
    "relay.remove": async ({ params }, { caller }): Promise<Output<"relay.remove">> => ({
      schema: "sluice/relay-removed/1",
      id: await relay.remove(params.id, caller.who),
    }),
    "relay.stats": () => ({
      schema: "sluice/relay-stats/1",
      rules: relay.list(),
      interfaces: interfacesJson(relay.part?.relay?.inputs() ?? []),
    }),
    "relay.why": async ({ params: { group } }): Promise<Output<"relay.why">> => {
      const { whyOutput } = await import("./relay/why.ts");
      return whyOutput(group, relay.part?.relay);
    },
    "relay.trace": async ({ params, query }): Promise<Output<"relay.trace">> => {
      const { id } = relay.find(params.id);
      const packets = (await relay.part?.relay?.trace(id, query.packets, 1000 * query.seconds)) ?? [];
      return { schema: "sluice/relay-trace/1", id, packets: packets.map((packet) => tracedJson(packet)) };
    },
    "relay.workers": () => ({
      schema: "sluice/relay-workers/1",
      workers: (relay.part?.relay?.workers() ?? []).map((worker) => workerJson(worker)),
    }),
  };
}

function configHandlers({ system, keeper }: Parts): Handlers {
  const { place, db } = system;
  const store = <T>(body: () => T): T => guard(place.paths.state, body);
  return {
    "config.get": () => ({
      schema: "sluice/config/1",
      configuration: keeper.active ?? null,
      file: place.config,
      problems: [...keeper.problems],
      tag: keeper.tag,
    }),
    "config.reload": (_, { caller, ifMatch }) => keeper.reload({ who: caller.who, ifMatch }),
    "config.rollback": ({ body }, { caller, ifMatch }) => keeper.rollback({ who: caller.who, ifMatch }, body.id),
    "config.history": () => ({
      schema: "sluice/config-history/1",
      configurations: store(() => configurations.list(db)).map((row) => ({ ...row, files: [...row.files] })),
    }),
    "config.version": ({ params: { id } }) => {
      const found = store(() => configurations.list(db)).find((row) => row.id === id);
      const hint = "sluice config list shows those that are kept";
      if (!found) throw sluiceError("NOT_FOUND", { noun: "configuration", id, hint });
      const files = store(() => configurations.filesOf(db, id));
      return { schema: "sluice/config-files/1", configuration: { ...found, files: [...found.files] }, files };
    },
    plans: ({ query }) => ({ schema: "sluice/plans/1", plans: store(() => plans.list(db, query.limit)) }),
    "plans.get": ({ params: { id } }) => {
      const found = store(() => plans.get(db, id));
      if (!found)
        throw sluiceError("NOT_FOUND", { noun: "plan", id, hint: "sluice change list shows those that are kept" });
      return { schema: "sluice/applied-plan/1", ...found };
    },
  };
}

function systemHandlers({ system, logs, version, status, measured }: Parts): Handlers {
  const { journal } = system;
  return {
    status: () => statusOutput(status()),
    health: () => healthOutput(system),
    metrics: () => metricsText(measured()),
    // Loaded when it is asked for: few ever do.
    openapi: async () => JSON.stringify((await import("../api/openapi.ts")).openApi(version)),
    "log.get": () => logs.output(),
    "log.set": async ({ body }, { caller }) => {
      await logs.set(body.levels);
      journal.record("log.levels", "info", `Levels of the logs were set by ${caller.who}`, { levels: body.levels });
      return logs.output();
    },
    events: ({ query }) => ({ schema: "sluice/events/1", events: journal.events(query) }),
  };
}

/** Every route that answers once. */
export const handlersOf = (parts: Parts): Handlers => ({
  ...localHandlers(parts),
  ...shaperHandlers(parts),
  ...autorateHandlers(parts),
  ...relayHandlers(parts),
  ...configHandlers(parts),
  ...systemHandlers(parts),
});

/** Events that a stream catches up with at once. */
const PAGE = 200;

/** Every route that streams. */
export function streamersOf({ system, counters, autorate }: Parts): Streamers {
  const { journal, progress } = system;
  return {
    "events.stream": ({ query }, open, { after }) => {
      const stream = open();
      const send = (event: EventJson): void => stream.send(event.id, { schema: "sluice/event/1", event });
      void (async () => {
        let from = after ?? query.after;
        // What was missed comes page by page, as the reader takes it; the last page and what comes then leave no gap.
        for (let page = PAGE; from !== undefined && page === PAGE && !stream.signal.aborted;) {
          const missed = journal.events({ after: from, limit: PAGE });
          missed.forEach(send);
          page = missed.length;
          from = missed.at(-1)?.id ?? from;
          if (page === PAGE) await stream.drained();
        }
        stream.own(journal.topic.subscribe(({ message }) => send(message)));
      })().catch(() => stream.end());
    },
    "plans.stream": ({ query }, open, { after }) => {
      const stream = open();
      stream.own(progress.subscribe(({ id, message }) => stream.send(id, message), after ?? query.after));
    },
    "autorate.stream": ({ query }, open, { after }) => {
      const stream = open();
      const send = ({ id, message: { link, record } }: Numbered<LinkTick>): void => {
        if (query.link !== undefined && query.link !== link) return;
        const trace = query.trace ? { ...record } : null;
        stream.send(id, { schema: "sluice/autorate-tick/1", link, tick: tickJson(record), trace });
      };
      stream.own(autorate.ticks.subscribe(send, after ?? query.after));
    },
    "shaper.counters": ({ query }, open, { after }) => {
      const ids = new Set(query.circuits?.split(",").filter(Boolean));
      const first = counters.sample(ids);
      const stream = open();
      let id = after ?? query.after ?? 0;
      const send = (sample: Output<"shaper.counters">): void => stream.send((id += 1), sample);
      send(first);
      const timer = setInterval(() => {
        try {
          send(counters.sample(ids));
        } catch {
          // The interfaces are gone for now; the reader sees that nothing comes.
          counters.forget();
        }
      }, query.interval);
      stream.own({ [Symbol.dispose]: () => clearInterval(timer) });
    },
  };
}
