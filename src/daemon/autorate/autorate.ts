/** All links that follow their lines: those of the configuration that holds, each a part of its own. */
import type { AutorateConfig, LinkConfig } from "../../autorate/config.ts";
import type { TickRecord } from "../../autorate/record/tick.ts";
import type { Direction } from "../../core/both.ts";
import { messageOf } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import type { RateTarget } from "../../core/rate-target.ts";
import type { OwnPorts } from "../../linux/netlink/ports.ts";
import type { Stop, Supervisor } from "../supervisor.ts";
import type { System } from "../system.ts";
import { Topic } from "../topic.ts";
import { fingerprint } from "./fingerprint.ts";
import { LinkPart, type Shared } from "./link-part.ts";
import { carriedRates, fatesOf } from "./succession.ts";

/** A tick with the link that it is of. */
export interface LinkTick {
  readonly link: string;
  readonly record: TickRecord;
}

/** What links need of the rest of the daemon. */
export interface AutorateParts {
  readonly system: System;
  readonly supervisor: Supervisor;
  readonly ports: OwnPorts;
  readonly site: (name: string, direction: Direction) => RateTarget;
}

interface Running {
  readonly config: LinkConfig;
  /** Of the configuration and all files that it names. */
  readonly print: string;
  readonly part: LinkPart;
  readonly stop: Stop;
}

const log = logger("autorate");

/** A listener that comes back gets so many ticks that it missed; nobody keeps more of them alive. */
const MISSED = 32;

/** Links under control. */
export class Autorate {
  readonly #parts: AutorateParts;
  /** In the order of the configuration. */
  #running: ReadonlyMap<string, Running> = new Map();
  readonly ticks = new Topic<LinkTick>(MISSED);
  #adopting: Promise<void> = Promise.resolve();

  constructor(parts: AutorateParts) {
    this.#parts = parts;
  }

  /** Every link, in the order of the configuration. */
  get links(): readonly LinkPart[] {
    return [...this.#running.values()].map(({ part }) => part);
  }

  /** One of them. */
  link(name: string): LinkPart | undefined {
    return this.#running.get(name)?.part;
  }

  /**
   * Another configuration holds: links that are the same, with the files they name, go on undisturbed; one that could not be
   * started is tried again at once. Changes come one after the other. Never fails.
   */
  adopt(config: AutorateConfig | undefined): Promise<void> {
    this.#adopting = this.#adopting
      .then(() => this.#adopt(config?.links ?? []))
      .catch((error: unknown) => log.error("links were not taken over: {reason}", { reason: messageOf(error) }));
    return this.#adopting;
  }

  async #adopt(links: readonly LinkConfig[]): Promise<void> {
    const prints = new Map(links.map((link) => [link.name, fingerprint(link)]));
    const before = [...this.#running.values()];
    const stay = before.filter(({ config, print, part }) => print === prints.get(config.name) && !part.failing);
    const gone = before.filter((running) => !stay.includes(running));
    await Promise.all(
      gone.map(async ({ config, stop, part }) => {
        part.retire(fatesOf(config, links));
        await stop();
        await part.giveBack();
        part.forget();
      }),
    );
    const started = links.map((link): [string, Running] => {
      const { name } = link;
      const running = stay.find(({ config }) => config.name === name);
      return [name, running ?? this.#start(link, prints.get(name)!, gone)];
    });
    this.#running = new Map(started);
  }

  #start(config: LinkConfig, print: string, gone: readonly Running[]): Running {
    const { system, supervisor, ports, site } = this.#parts;
    const { netns, clock } = system.place;
    const shared: Shared = { clock, random: Math.random, ports, site, ...(netns !== undefined && { netns }) };
    const ticked = (link: string, record: TickRecord): void => this.ticks.publish({ link, record });
    const before = gone.map(({ config: old, part: { rates } }) => ({ config: old, rates }));
    const part = new LinkPart(config, { ...shared, begin: carriedRates(config, before) }, system.journal, ticked);
    return { config, print, part, stop: supervisor.start(part) };
  }
}
