/** An input of the relay: the workers that copy what the kernel leaves, with their rings and sockets. */
import type { Fd } from "../linux/fd.ts";
import type { Netns } from "../linux/netns.ts";
import {
  admitFrames,
  knowsAggregates,
  prepareRing,
  type RingMode,
  ringLayout,
  type RingOptions,
  startRing,
} from "../linux/packet/ring.ts";
import { logger } from "../core/log.ts";
import { messageOf } from "../core/errors.ts";
import type { LinkFact } from "./facts.ts";
import type { Gro } from "./gro.ts";
import type { PlaneOutput, PlaneRule } from "./model.ts";
import { outputSocket } from "./output-socket.ts";
import { isGroup } from "./resolve.ts";
import { RelayWorker } from "./workers/handle.ts";
import type { RingProvision } from "./workers/rings.ts";
import type { SocketProvision } from "./workers/sockets.ts";
import { encodeRule } from "./worker/rule-codec.ts";

/** How inputs are worked on. */
export interface InputSettings {
  readonly profile: RingMode;
  /** How many workers share an input. */
  readonly workers: number;
  /** Bytes of a worker's ring. */
  readonly ringBytes: number;
  /** Whether the interface is made to join the packets of a stream (GRO). Default keep. */
  readonly gro?: Gro;
  /** Processors of each worker, by the interface's name; any where nothing is said. */
  readonly pinning: Readonly<Record<string, readonly number[]>>;
}

/** What an input is made of. */
export interface InputOptions {
  readonly link: LinkFact;
  readonly settings: InputSettings;
  /** Where the sockets are; this thread's when left out. Stays the caller's. */
  readonly ns?: Netns;
  /** How many slots there are for counters. */
  readonly slots: number;
  /** A worker is in another state, or its ring is dead. */
  readonly changed: () => void;
}

const log = logger("relay");

/** Distinguishes fanout groups of one interface: the kernel lets no socket of another kind into one that is there. */
const FANOUT_KINDS = 4;
const fanoutKind = ({ family, tagged }: Pick<RingOptions, "family" | "tagged">): number =>
  (family === 6 ? 2 : 0) + (tagged ? 1 : 0);

/** Rings that these rules need. */
function ringsFor(rules: readonly PlaneRule[]): Pick<RingOptions, "family" | "tagged" | "unicast">[] {
  return ([4, 6] as const).flatMap((family) => {
    const own = rules.filter(({ group }) => group.length === (family === 4 ? 4 : 16));
    const hosts = own.map(({ group }) => group).filter((group) => !isGroup(group));
    const unicast = [...new Map(hosts.map((host) => [Buffer.from(host).toString("hex"), host] as const)).values()];
    return [false, true].flatMap((tagged) => {
      const some = own.some(({ vlan }) => vlan > 0 === tagged);
      return some ? [{ family, tagged, unicast }] : [];
    });
  });
}

/** What tells the rings of two sets of rules apart. */
const ringsKey = (rules: readonly PlaneRule[]): string =>
  JSON.stringify(
    ringsFor(rules).map(({ unicast = [], ...rest }) => ({
      ...rest,
      unicast: [...new Set(unicast.map((address) => Buffer.from(address).toString("hex")))].toSorted(),
    })),
  );

/** An input. Dispose it. */
export class Input implements AsyncDisposable {
  readonly link: LinkFact;
  readonly workers: readonly RelayWorker[];
  readonly #options: InputOptions;
  readonly #texts = new Map<string, string>();
  /** Sockets that cannot be opened, and why: that is told once. */
  readonly #failing = new Map<string, string>();
  #rules: readonly PlaneRule[] = [];
  #ringsKey = "";
  #started = false;
  /** A ring receives nothing any more: its interface was down for a moment. */
  #isDead = false;

  constructor(options: InputOptions) {
    const { link, settings, slots, changed } = options;
    this.link = link;
    this.#options = options;
    const cpus = settings.pinning[link.name] ?? [];
    this.workers = Array.from({ length: settings.workers }, (_, index) => {
      const own = cpus.length === 0 ? undefined : [cpus[index % cpus.length]!];
      return new RelayWorker({
        name: settings.workers === 1 ? link.name : `${link.name} ${index}`,
        slots,
        ...(own && { cpus: own }),
        rings: () => this.#ringsNow(),
        provide: ({ id, outputs }) => outputs.map((output) => this.#socketFor(id, output)),
        dead: () => {
          this.#isDead = true;
          changed();
        },
        changed,
      });
    });
  }

  /** How many rules it has. */
  get size(): number {
    return this.#rules.length;
  }

  /** Carries these rules from now on, and no others; those that are the same are not touched. */
  set(rules: readonly PlaneRule[]): void {
    const wanted = new Map(rules.map((rule) => [rule.id, JSON.stringify(encodeRule(rule))]));
    this.#rules = rules;
    for (const worker of this.workers) {
      for (const id of this.#texts.keys()) if (!wanted.has(id)) worker.removeRule(id);
      for (const rule of rules) if (this.#texts.get(rule.id) !== wanted.get(rule.id)) worker.setRule(rule);
    }
    this.#texts.clear();
    for (const [id, text] of wanted) this.#texts.set(id, text);
    const key = ringsKey(rules);
    const other = key !== this.#ringsKey;
    this.#ringsKey = key;
    if (!this.#started) for (const worker of this.workers) worker.start();
    else if (other || this.#isDead) for (const worker of this.workers) worker.useRings(this.#isDead);
    this.#isDead = false;
    this.#started = true;
  }

  /** Waits until all workers have their rules as they are now; false when one is not there. */
  async sync(): Promise<boolean> {
    return (await Promise.all(this.workers.map((worker) => worker.sync()))).every(Boolean);
  }

  #within<T>(body: () => T): T {
    const { ns } = this.#options;
    return ns ? ns.run(body) : body();
  }

  #ringsNow(): RingProvision[] {
    const { link, settings } = this.#options;
    const { profile: mode, ringBytes: bytes, workers } = settings;
    return ringsFor(this.#rules).map((kind): RingProvision => {
      const size = { ...kind, mode, bytes, mtu: link.mtu, bare: !link.ethernet, aggregates: knowsAggregates() };
      const id = (process.pid + link.ifindex * FANOUT_KINDS + fanoutKind(kind)) & 0xffff;
      const options = { ...size, ifindex: link.ifindex, ...(workers > 1 && { fanout: { id } }) };
      return {
        key: `${kind.family} ${kind.tagged}`,
        layout: ringLayout(size),
        open: () => this.#within(() => prepareRing(options)),
        start: (fd) => startRing(fd, options),
        admit: (fd) => admitFrames(fd, options),
      };
    });
  }

  /** A socket for an output. One that cannot be opened is one that refuses every copy, and the others do their work. */
  #socketFor(id: string, output: PlaneOutput): SocketProvision {
    const socket = outputSocket(output);
    const open = (): Fd | undefined => {
      try {
        const fd = this.#within(socket.open);
        this.#failing.delete(socket.key);
        return fd;
      } catch (error) {
        const { device } = output;
        const reason = messageOf(error);
        if (this.#failing.get(socket.key) !== reason)
          log.warn("rule {id} cannot send by {device}: {reason}", { id, device, reason });
        this.#failing.set(socket.key, reason);
        return undefined;
      }
    };
    return { ...socket, open };
  }

  /** Ends the workers, once they have sent what they have. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker[Symbol.asyncDispose]()));
  }
}
