/** The daemon as a whole: its parts put together, started, reloaded and stopped. */
import type { ProgressJson, StatusJson } from "../api/schemas/system.ts";
import type { Configuration } from "../control/files.ts";
import type { Place } from "../control/place.ts";
import type { Settings } from "../control/settings.ts";
import { cleanUp } from "../control/shaper/apply.ts";
import { messageOf, problem, type SluiceError } from "../core/errors.ts";
import { logger } from "../core/log.ts";
import type { FdStore } from "../linux/fd-store.ts";
import { OwnPorts } from "../linux/netlink/ports.ts";
import { monotonicMicroseconds, type Notifier } from "../linux/notify.ts";
import { LiveRates } from "../shaper/live-rates.ts";
import { openStore } from "../store/db.ts";
import { Gate } from "./access.ts";
import { Autorate } from "./autorate/autorate.ts";
import { Bakery } from "./bakery.ts";
import { Counters } from "./counters.ts";
import { handlersOf, streamersOf } from "./handlers.ts";
import { Journal } from "./journal.ts";
import { Keeper } from "./keeper.ts";
import { listenOnPort, listenOnSocket, openSocket } from "./listen.ts";
import type { Logs } from "./logs.ts";
import type { Measured } from "./metrics.ts";
import { RelayKeeper } from "./relay/relay.ts";
import { Serial } from "./serial.ts";
import { Server } from "./server.ts";
import { type StatusInput, statusText } from "./status.ts";
import { Supervisor } from "./supervisor.ts";
import type { System } from "./system.ts";
import { Tidy } from "./tidy.ts";
import { Topic } from "./topic.ts";
import { Watcher } from "./watcher.ts";

/** What a daemon is made of. */
export interface DaemonOptions {
  readonly place: Place;
  readonly logs: Logs;
  readonly notifier: Notifier;
  readonly fds: FdStore;
  readonly version: string;
}

/** Messages about plans that a listener can still get when it comes back. */
const PROGRESS_KEPT = 256;
/** Milliseconds between looks at what the status line says. */
const STATUS_EVERY = 2000;

const log = logger("daemon");

/** A daemon. Whoever makes it holds the lock that there is one only. */
export class Daemon implements AsyncDisposable {
  readonly #options: DaemonOptions;
  readonly #system: System;
  readonly #keeper: Keeper;
  readonly #bakery: Bakery;
  readonly #counters: Counters;
  readonly #supervisor: Supervisor;
  readonly #watcher: Watcher;
  readonly #autorate: Autorate;
  readonly #relay: RelayKeeper;
  readonly #gate: Gate;
  readonly #server: Server;
  readonly #startedAt: number;
  readonly #tidy = new Tidy();
  #state: StatusJson["state"] = "starting";
  #api: Settings["api"];
  #timers: NodeJS.Timeout[] = [];

  /** @throws SluiceError STORE */
  constructor(options: DaemonOptions) {
    const { fds, logs, version } = options;
    const place = { ...options.place, live: new LiveRates() };
    this.#options = options;
    this.#startedAt = place.clock.now();
    const db = openStore(place.paths.state);
    const journal = new Journal(db, place.clock);
    const progress = new Topic<ProgressJson>(PROGRESS_KEPT);
    const serial = new Serial(() => this.#tidy.worked());
    const system = { place, db, journal, serial, progress, ports: new OwnPorts(), fds };
    this.#system = system;
    this.#keeper = new Keeper(system, {
      adopt: (configuration) => this.#adopt(configuration),
      bakeryDrives: ({ bakery }) => this.#bakery.drives(bakery),
      shaped: () => this.#counters.forget(),
      wake: (reason) => this.#watcher.wake(reason),
    });
    this.#bakery = new Bakery(system, () => this.#keeper.configuration?.inputs);
    this.#counters = new Counters(system, this.#keeper);
    this.#supervisor = new Supervisor(journal, place.clock);
    this.#watcher = new Watcher(system, this.#keeper);
    this.#autorate = new Autorate({
      system,
      supervisor: this.#supervisor,
      ports: system.ports,
      site: (name, direction) => this.#keeper.siteTarget(name, direction),
    });
    this.#relay = new RelayKeeper(system, this.#supervisor);
    this.#api = this.#keeper.settings.api;
    this.#gate = new Gate(this.#api);
    const parts = {
      system,
      keeper: this.#keeper,
      bakery: this.#bakery,
      counters: this.#counters,
      autorate: this.#autorate,
      relay: this.#relay,
      logs,
      version,
      status: () => this.#status,
      measured: () => this.#measured,
      wake: (reason: string) => this.#watcher.wake(reason),
    };
    const handlers = handlersOf(parts);
    this.#server = new Server({ handlers, streamers: streamersOf(parts), gate: this.#gate, version });
  }

  /** Takes the configuration, applies it, listens, and watches. @throws SluiceError when there is nothing to go by */
  async start(): Promise<void> {
    const { place, journal } = this.#system;
    await this.#keeper.start();
    const { socket } = place.paths;
    await listenOnSocket(this.#server.make(true), socket, this.#api, this.#gate.group);
    if (this.#gate.group === undefined) log.warn(problem("API_GROUP", { group: this.#api.group }).message);
    if (this.#api.listen) await listenOnPort(this.#server.make(false), this.#api.listen);
    this.#supervisor.start(this.#watcher);
    await this.#autorate.adopt(this.#keeper.configuration?.autorate);
    await this.#relay.adopt(this.#keeper.configuration?.relay);
    // Of a relay's. While there is one, it lets go of them.
    if (!this.#relay.part) this.#system.fds.release();
    this.#state = "ready";
    journal.record("daemon.started", "info", `sluiced ${this.#options.version} listens on ${socket}`);
    this.#tell({ READY: "1" });
    this.#timers.push(setInterval(() => this.#tell({}), STATUS_EVERY));
    const { watchdog } = this.#options.notifier;
    if (watchdog !== undefined)
      this.#timers.push(setInterval(() => this.#options.notifier.tell({ WATCHDOG: "1" }), watchdog / 3));
  }

  /** Takes the files anew; what is wrong with them is in log, status and health. */
  async reload(who: string): Promise<void> {
    if (this.#state === "stopping") return;
    this.#state = "reloading";
    this.#tell({ RELOADING: "1", MONOTONIC_USEC: monotonicMicroseconds() });
    try {
      await this.#keeper.reload({ who });
    } catch (error) {
      for (const { message } of (error as Partial<SluiceError>).problems ?? [{ message: messageOf(error) }])
        log.error("not reloaded: {message}", { message });
    }
    if (this.#isStopping()) return;
    this.#state = "ready";
    this.#tell({ READY: "1" });
  }

  #isStopping(): boolean {
    return this.#state === "stopping";
  }

  /** Ends all parts. What is in the kernel stays, unless it is to be taken away. */
  async stop(cleanup: boolean): Promise<void> {
    this.#state = "stopping";
    this.#tell({ STOPPING: "1" });
    this.#system.journal.record("daemon.stopping", "info", "sluiced stops");
    if (!cleanup) this.#system.fds.end();
    await this.#server.stop();
    await this.#bakery.drain();
    await this.#supervisor.stop();
    await this.#system.serial.idle();
    const { inputs } = this.#keeper.configuration ?? {};
    if (cleanup && inputs) await cleanUp(this.#system.place, inputs.config);
    if (cleanup) await this.#relay.cleanUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#timers = [];
    this.#tidy[Symbol.dispose]();
    this.#counters[Symbol.dispose]();
    this.#system.db.close();
    await Promise.resolve();
  }

  get #status(): StatusInput {
    return {
      system: this.#system,
      keeper: this.#keeper,
      supervisor: this.#supervisor,
      version: this.#options.version,
      startedAt: this.#startedAt,
      state: this.#state,
    };
  }

  get #measured(): Measured {
    return {
      ...this.#status,
      server: this.#server,
      bakery: this.#bakery,
      watcher: this.#watcher,
      counters: this.#counters,
      autorate: this.#autorate,
      relay: this.#relay,
    };
  }

  #tell(notice: Readonly<Record<string, string>>): void {
    this.#options.notifier.tell({ ...notice, STATUS: statusText(this.#status) });
  }

  /** Other settings hold from now on. Where it listens is settled at the start. */
  #adopt({ settings, autorate, relay }: Configuration): void {
    const { api } = settings;
    const { health } = this.#system.journal;
    const moved = api.listen?.host !== this.#api.listen?.host || api.listen?.port !== this.#api.listen?.port;
    if (this.#state !== "starting" && moved) log.warn("api.listen holds from the next start on");
    this.#api = api;
    this.#gate.adopt(api);
    if (this.#gate.tokenFault === undefined) health.clear("TOKEN_UNREADABLE");
    else health.raise("TOKEN_UNREADABLE", { reason: this.#gate.tokenFault });
    if (this.#state !== "starting") {
      try {
        openSocket(this.#system.place.paths.socket, api, this.#gate.group);
      } catch (error) {
        log.error("the socket could not be given its rights: {reason}", { reason: messageOf(error) });
      }
    }
    this.#bakery.adopt(settings.bakery);
    this.#counters.forget();
    void this.#options.logs.adopt(settings.log);
    // Links wait until everything else is there: at the start what they drive is not made yet.
    if (this.#state !== "starting") void this.#autorate.adopt(autorate);
    if (this.#state !== "starting") void this.#relay.adopt(relay);
  }
}
