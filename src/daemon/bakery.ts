/** The bakery as a part of the daemon: one queue, a mode that can be switched while it runs, and what it did. */
import { existsSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Output } from "../api/routes.ts";
import type { Inputs } from "../control/files.ts";
import type { Settings } from "../control/settings.ts";
import { libreqosSettings } from "../control/shaper/export.ts";
import { SluiceError, sluiceError } from "../core/errors.ts";
import { TC_ROOT } from "../core/tc/handle.ts";
import { waitForLock } from "../linux/lock.ts";
import { dumpLinks } from "../linux/netlink/dump.ts";
import { RtnlSocket } from "../linux/netlink/socket.ts";
import { type Netns, openNetns } from "../linux/netns.ts";
import { TcRunner } from "../linux/tc/runner.ts";
import { carryOut } from "../shaper/bakery/bakery.ts";
import { decodeCommand } from "../shaper/bakery/decode.ts";
import type { BakeryCommand } from "../shaper/bakery/model.ts";
import { BakeryQueue, BOUND } from "../shaper/bakery/queue.ts";
import { readQdiscs } from "../shaper/fetch.ts";
import { optionsFromConfig } from "../shaper/libreqos/from-config.ts";
import type { LibreqosSettings } from "../shaper/libreqos/settings.ts";
import { reasonOf } from "./changes.ts";
import type { System } from "./system.ts";

/** A file that has grown beyond this is put aside, so that a year of commands does not fill the disk. */
const LARGEST_FILE = 64 * 2 ** 20;

/** Stands in where a command needs no settings. */
const SELF_CONTAINED: LibreqosSettings = {
  link: { lan: "", internet: "", onAStick: false },
  capacity: { download: 0, upload: 0 },
  generated: { download: 0, upload: 0 },
  defaultSqm: "",
  monitorOnly: false,
  useBinpacking: false,
  dryRun: false,
  queuesAvailable: 1,
};

/** Where commands go. */
export type BakeryModeName = Settings["bakery"]["mode"];

/** The bakery. */
export class Bakery {
  readonly #system: System;
  readonly #inputs: () => Inputs | undefined;
  readonly #queue: BakeryQueue;
  #mode: BakeryModeName = "file";
  #file: string;
  #queues: number | undefined;
  /** What somebody switched to by hand; it holds until the daemon is started anew. */
  #byHand: BakeryModeName | undefined;
  /** Commands so far. */
  readonly counts = { carriedOut: 0, failed: 0 };

  /** `inputs` gives what is configured now: interfaces, capacities, leaf. */
  constructor(system: System, inputs: () => Inputs | undefined) {
    this.#system = system;
    this.#inputs = inputs;
    this.#file = system.place.paths.bakery;
    this.#queue = new BakeryQueue({
      carryOut: (command) => this.#carryOut(command),
      failed: (command, error) =>
        system.journal.record(
          "bakery.failed",
          "warning",
          `${command.kind} failed, and nobody waited: ${reasonOf(error)}`,
        ),
    });
  }

  /** Where commands go. */
  get mode(): BakeryModeName {
    return this.#mode;
  }

  /** Commands that wait. */
  get waiting(): number {
    return this.#queue.waiting;
  }

  /** What stands for the mode in If-Match. */
  get tag(): string {
    return `bakery-${this.#mode}`;
  }

  /** Goes by other settings; the mode is the configuration's until somebody switches it. */
  adopt({ mode, file, queues }: Settings["bakery"]): void {
    this.#file = file ?? this.#system.place.paths.bakery;
    this.#queues = queues;
    this.#switch(this.#byHand ?? mode, "configuration");
  }

  /** Switches the mode by hand, for commands that come after those that wait. */
  switch(mode: BakeryModeName, who: string): void {
    this.#byHand = mode;
    this.#switch(mode, who);
  }

  /** Whether by these settings commands are carried out. */
  drives({ mode }: Settings["bakery"]): boolean {
    return (this.#byHand ?? mode) === "execute";
  }

  /** Resolves when all commands that wait have been carried out. */
  drain(): Promise<void> {
    return this.#queue.drain();
  }

  #switch(mode: BakeryModeName, who: string): void {
    const { health } = this.#system.journal;
    if (mode !== this.#mode) {
      this.#mode = mode;
      this.#system.journal.record(
        "bakery.mode",
        "info",
        `The bakery's commands go to ${this.#where} from now on (${who})`,
      );
    }
    if (mode === "execute") health.raise("BAKERY_DRIVES");
    else health.clear("BAKERY_DRIVES");
  }

  /**
   * Takes a command as JSON.
   *
   * @throws SluiceError BAKERY_COMMAND with all that is wrong with it, BAKERY_BUSY, BAKERY_LINES
   */
  async submit(json: unknown, wait: boolean): Promise<void> {
    const command = decodeCommand(json);
    if (!("kind" in command)) throw new SluiceError(command);
    await this.#queue.submit(command, { wait });
  }

  /** What is to be seen of it. */
  output(): Output<"bakery.get"> {
    const { mode, waiting, tag } = this;
    return { schema: "sluice/bakery/1", mode, file: this.#file, waiting, bound: BOUND, ...this.counts, tag };
  }

  get #where(): string {
    return this.#mode === "file" ? `"${this.#file}"` : "the kernel";
  }

  async #carryOut(command: BakeryCommand): Promise<void> {
    try {
      const settings = await this.#settingsFor(command);
      if (this.#mode === "file") await this.#write(command, settings);
      else await this.#execute(command, settings);
      this.counts.carriedOut += 1;
    } catch (error) {
      this.counts.failed += 1;
      throw error;
    }
  }

  async #write(command: BakeryCommand, settings: LibreqosSettings): Promise<void> {
    const path = this.#file;
    mkdirSync(dirname(path), { recursive: true });
    if (existsSync(path) && statSync(path).size > LARGEST_FILE) renameSync(path, `${path}.1`);
    await carryOut(command, settings, { kind: "file", path });
  }

  #execute(command: BakeryCommand, settings: LibreqosSettings): Promise<void> {
    const { place, serial } = this.#system;
    return serial.run(async () => {
      using _lock = await waitForLock(place.paths.lock);
      using ns = place.netns === undefined ? undefined : openNetns(place.netns);
      const rootOf = (device: string): string | undefined => this.#rootOf(device, ns);
      await carryOut(command, settings, { kind: "execute", tc: new TcRunner(ns), rootOf });
    });
  }

  #rootOf(device: string, ns: Netns | undefined): string | undefined {
    using socket = RtnlSocket.open(ns);
    const link = dumpLinks(socket).find(({ name }) => name === device);
    const made = link && readQdiscs(socket).get(link.ifindex);
    return made?.find(({ at }) => at.parent === TC_ROOT)?.at.qdisc.kind;
  }

  /** What the two commands go by that build or clear all of it; every other says all it needs itself. */
  async #settingsFor(command: BakeryCommand): Promise<LibreqosSettings> {
    if (command.kind !== "MqSetup" && command.kind !== "ClearPriorSettings") return SELF_CONTAINED;
    const inputs = this.#inputs();
    if (!inputs) throw this.#unconfigured("there is no [shaper]");
    const options = optionsFromConfig(inputs.config);
    if (!options) throw this.#unconfigured(`it has no leaf such as "${inputs.config.leaf.kind}"`);
    if (this.#queues !== undefined) return { ...options, queuesAvailable: this.#queues };
    if (command.kind === "ClearPriorSettings") return { ...options, queuesAvailable: 1 };
    return await libreqosSettings({ options, override: inputs.config.queues ?? 0 }, this.#system.place.netns);
  }

  #unconfigured(reason: string): SluiceError {
    return sluiceError("BAKERY_UNCONFIGURED", { reason });
  }
}
