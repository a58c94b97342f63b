/** All links that follow their lines: those of the configuration that holds, each a part of its own. */
import type { AutorateConfig, LinkConfig } from "../../autorate/config.ts";
import type { TickRecord } from "../../autorate/record/tick.ts";
import type { Direction } from "../../core/both.ts";
import type { RateTarget } from "../../core/rate-target.ts";
import type { OwnPorts } from "../../linux/netlink/ports.ts";
import type { Stop, Supervisor } from "../supervisor.ts";
import type { System } from "../system.ts";
import { Topic } from "../topic.ts";
import { LinkPart, type Shared } from "./link-part.ts";

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
  readonly part: LinkPart;
  readonly stop: Stop;
}

/** A listener that comes back gets so many ticks that it missed; nobody keeps more of them alive. */
const MISSED = 32;

/** Links under control. */
export class Autorate {
  readonly #parts: AutorateParts;
  readonly #running = new Map<string, Running>();
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

  /** Another configuration holds: links that are the same go on undisturbed. Changes come one after the other. */
  adopt(config: AutorateConfig | undefined): Promise<void> {
    this.#adopting = this.#adopting.then(() => this.#adopt(config?.links ?? []));
    return this.#adopting;
  }

  async #adopt(links: readonly LinkConfig[]): Promise<void> {
    const wanted = new Map(links.map((link) => [link.name, link]));
    const gone = [...this.#running].filter(([name, { config }]) => !same(config, wanted.get(name)));
    await Promise.all(
      gone.map(async ([name, { stop, part }]) => {
        if (!wanted.has(name)) part.retire();
        await stop();
        part.forget();
        this.#running.delete(name);
      }),
    );
    for (const link of links) if (!this.#running.has(link.name)) this.#start(link);
  }

  #start(config: LinkConfig): void {
    const { system, supervisor, ports, site } = this.#parts;
    const { netns, clock } = system.place;
    const shared: Shared = { clock, random: Math.random, ports, site, ...(netns !== undefined && { netns }) };
    const ticked = (link: string, record: TickRecord): void => this.ticks.publish({ link, record });
    const part = new LinkPart(config, shared, system.journal, ticked);
    this.#running.set(config.name, { config, part, stop: supervisor.start(part) });
  }
}

/** Whether nothing of a link changed. */
const same = (a: LinkConfig, b: LinkConfig | undefined): boolean => JSON.stringify(a) === JSON.stringify(b);
