/**
 * One life of a worker, from its start to its end: what its supervisor tells it, and how long that waits for it. A worker that
 * does not answer in time, or says what cannot be understood, is ended.
 */
import { messageOf } from "../../core/errors.ts";
import { logger } from "../../core/log.ts";
import { Fd } from "../../linux/fd.ts";
import type { RingStatistics } from "../../linux/packet/ring-statistics.ts";
import { waiter } from "../../linux/waiter.ts";
import type { PlaneRule } from "../model.ts";
import { RuleDigest } from "../worker/digest.ts";
import {
  type FinalReport,
  OUTPUTS_PER_MESSAGE,
  type Report,
  readReport,
  type TracedPacket,
} from "../worker/message-codec.ts";
import { encodeRule } from "../worker/rule-codec.ts";
import type { Launched } from "./launch.ts";
import { Outbox } from "./outbox.ts";
import { type RingChange, type RingProvision, WorkerRings } from "./rings.ts";
import { type SocketProvision, WorkerSockets } from "./sockets.ts";
import type { Timers } from "./timers.ts";

/** How long things may take, ms. */
export interface LifeLimits {
  /** Until a worker says that it is there. */
  readonly start: number;
  /** Until it has acknowledged its rules, answered, read what it is told, or gone round its loop. */
  readonly answer: number;
  /** Until it has sent what it still had to send. */
  readonly stop: number;
  /** Between two comparisons of the rules. */
  readonly compare: number;
}

/** The usual ones. */
export const LIFE_LIMITS: LifeLimits = { start: 10_000, answer: 5000, stop: 10_000, compare: 300_000 };

/** What a life is made of. */
export interface LifeParts {
  /** For the log. */
  readonly name: string;
  readonly timers: Timers;
  readonly limits: LifeLimits;
  /** Those that the worker should have, looked at whenever {@link Life.changed} says so. */
  readonly rules: ReadonlyMap<string, PlaneRule>;
  launch(): Launched;
  /** Those that it should have now. */
  rings(): readonly RingProvision[];
  /** Sockets for a rule's outputs, in their order. */
  provide(rule: PlaneRule): readonly SocketProvision[];
  /** Counts up for as long as the worker goes round. */
  beat(): number;
  /** It has ended: what the kernel says of its rings, and it has not read. */
  left(counts: readonly RingStatistics[]): void;
  /** The worker has all of its rules for the first time. */
  running(): void;
  /** A ring that it has receives nothing any more. */
  dead(): void;
}

/** Looks at the beat so often, ms. */
const LOOK = 1000;
/** Until rings and sockets that could not be opened are tried again, ms. */
const AGAIN = 1000;
/** Orders and reports that are done in a row, so that everything else goes on. */
const BATCH = 64;

const log = logger("relay", "worker");

const closeAll = (fds: readonly Fd[]): void => {
  for (const fd of fds) fd[Symbol.dispose]();
};

interface Comparison {
  readonly number: number;
  readonly hash: string;
  readonly count: number;
  readonly waiting: readonly PromiseWithResolvers<boolean>[];
}

/** The life. */
export class Life {
  readonly pid: number | undefined;
  /** Why it ended, as half a sentence. */
  readonly ended: Promise<string>;
  readonly #parts: LifeParts;
  readonly #process: Launched;
  readonly #outbox: Outbox;
  readonly #digest = new RuleDigest();
  readonly #sockets = new WorkerSockets({
    give: (number, socket, fd) => this.#outbox.push({ kind: "socket", number, socket }, [fd]),
    take: (number) => this.#outbox.push({ kind: "close", number }),
  });
  readonly #changed = new Set<string>();
  /** Rules that not all sockets could be opened for. */
  readonly #short = new Set<string>();
  readonly #timers = new Map<string, Disposable>();
  readonly #traces = new Map<number, PromiseWithResolvers<readonly TracedPacket[]>>();
  readonly #rings = new WorkerRings();
  /** None of its rings can be gone on with, and there are no others yet. */
  #ringsDead = false;
  #waiting: PromiseWithResolvers<boolean>[] = [];
  #comparison: Comparison | undefined;
  #watch: Disposable | undefined;
  #number = 0;
  #mismatches = 0;
  #ready = false;
  #ran = false;
  #over = false;
  #why: string | undefined;
  #final: FinalReport | undefined;
  #pumping: NodeJS.Immediate | undefined;

  /** Starts it. @throws whatever opening rings or starting the process throws */
  constructor(parts: LifeParts) {
    this.#parts = parts;
    const { timers, limits } = parts;
    // Before the process: a ring gathers packets while it starts.
    const rings = this.#rings.use(parts.rings(), false);
    try {
      this.#process = parts.launch();
    } catch (error) {
      this.#rings[Symbol.dispose]();
      throw error;
    }
    const { channel, pid } = this.#process;
    this.pid = pid;
    this.#outbox = new Outbox({
      channel,
      timers,
      patience: limits.answer,
      room: () => this.#pump(),
      stuck: () => this.#kill(`it has read nothing for ${limits.answer / 1000} s`),
    });
    this.#giveRings(rings);
    this.#watch = waiter.watch(channel.fd, () => this.#read());
    this.#deadline("start", limits.start, `it was not ready within ${limits.start / 1000} s`);
    this.ended = this.#process.ended.then((how) => this.#end(how));
  }

  #giveRings({ fresh, numbers }: RingChange): void {
    for (const { number, layout, fd } of fresh)
      this.#outbox.push({ kind: "ring", number, layout }, [Fd.duplicate(fd.number)]);
    this.#outbox.push({ kind: "rings", numbers });
  }

  /** Sets a timer, in place of the one of that name. */
  #after(name: string, ms: number, body: () => void): void {
    this.#clear(name);
    this.#timers.set(name, this.#parts.timers.after(ms, body));
  }

  #clear(name: string): void {
    this.#timers.get(name)?.[Symbol.dispose]();
    this.#timers.delete(name);
  }

  #deadline(name: string, ms: number, why: string): void {
    this.#after(name, ms, () => this.#kill(why));
  }

  #kill(why: string): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#process.kill("SIGKILL");
  }

  #end(how: string): string {
    // What it said last may not have been read yet.
    this.#read();
    this.#over = true;
    this.#unwatch();
    if (this.#pumping) clearImmediate(this.#pumping);
    for (const name of this.#timers.keys()) this.#clear(name);
    this.#outbox[Symbol.dispose]();
    this.#process.channel[Symbol.dispose]();
    this.#rings.silence();
    this.#parts.left(this.#rings.statistics());
    this.#rings[Symbol.dispose]();
    for (const { resolve } of [...this.#waiting, ...(this.#comparison?.waiting ?? [])]) resolve(false);
    for (const { resolve } of this.#traces.values()) resolve([]);
    return this.#why ?? how;
  }

  #unwatch(): void {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
  }

  #read(): void {
    const { channel } = this.#process;
    try {
      for (let i = 0; i < BATCH; i += 1) {
        const received = channel.receive();
        if (!received) break;
        // It has nothing to give.
        closeAll(received.fds);
        this.#hear(readReport(received.message));
      }
    } catch (error) {
      this.#unwatch();
      return this.#kill(`it says what cannot be understood: ${messageOf(error)}`);
    }
    if (!channel.ended) return;
    // A socket that is at its end can be read for ever.
    this.#unwatch();
    this.#deadline("end", LOOK, "it has closed its channel, and did not end");
  }

  #hear(report: Report): void {
    switch (report.kind) {
      case "ready":
        this.#ready = true;
        this.#clear("start");
        this.#listen(this.#parts.beat(), 0);
        this.#restate();
        return void this.sync();
      case "ack":
        return this.#compare(report);
      case "traced":
        this.#traces.get(report.number)?.resolve(report.packets);
        return;
      case "dead":
        // Or one that it goes on without anyway.
        return this.#rings.has(report.ring) ? this.#parts.dead() : undefined;
      case "final": {
        const { kind: _, ...final } = report;
        this.#final = final;
      }
    }
  }

  /** Looks whether the beat goes on. By the number of looks, not by time: it may be this process that stood still. */
  #listen(last: number, still: number): void {
    this.#after("beat", LOOK, () => {
      const beat = this.#parts.beat();
      const misses = beat === last ? still + 1 : 0;
      if (misses * LOOK > this.#parts.limits.answer) return this.#kill("it hangs");
      this.#listen(beat, misses);
    });
  }

  /** All rules will be said again. */
  #restate(): void {
    this.#outbox.push({ kind: "begin" });
    this.#digest.clear();
    this.#sockets.forget();
    for (const id of this.#parts.rules.keys()) this.#changed.add(id);
  }

  /** A rule was set or removed. */
  changed(id: string): void {
    if (this.#over) return;
    this.#changed.add(id);
    if (this.#ready) this.#pump();
  }

  /** Other rings are wanted, or all of them anew. Those that cannot be had are tried again until they can. */
  useRings(anew: boolean): void {
    if (this.#over) return;
    this.#ringsDead ||= anew;
    this.#clear("rings");
    try {
      this.#giveRings(this.#rings.use(this.#parts.rings(), this.#ringsDead));
    } catch (error) {
      const { name } = this.#parts;
      log.warning("{name}: cannot open the ring: {reason}", { name, reason: messageOf(error) });
      return this.#after("rings", AGAIN, () => this.useRings(false));
    }
    this.#ringsDead = false;
    void this.sync();
  }

  /** Waits until the worker has all rules as they are now. @returns false when it ends before */
  sync(): Promise<boolean> {
    if (this.#over) return Promise.resolve(false);
    const waiting = Promise.withResolvers<boolean>();
    this.#waiting.push(waiting);
    this.#pump();
    return waiting.promise;
  }

  /** Says what there is to say, as far as there is room. */
  #pump(): void {
    if (!this.#ready || this.#over) return;
    let said = 0;
    for (const id of this.#changed) {
      if (!this.#outbox.room) return;
      if (said === BATCH) {
        this.#pumping ??= setImmediate(() => {
          this.#pumping = undefined;
          this.#pump();
        });
        return;
      }
      said += 1;
      this.#changed.delete(id);
      this.#say(id);
    }
    if (this.#waiting.length === 0 || this.#comparison) return;
    const number = (this.#number += 1);
    this.#comparison = { number, hash: this.#digest.hash, count: this.#digest.count, waiting: this.#waiting };
    this.#waiting = [];
    this.#outbox.push({ kind: "sync", number });
    const { answer } = this.#parts.limits;
    this.#deadline("sync", answer, `it did not acknowledge its rules within ${answer / 1000} s`);
  }

  #say(id: string): void {
    const rule = this.#parts.rules.get(id);
    if (!rule) return this.#drop(id);
    const wire = encodeRule(rule);
    const whole = this.#sockets.use(id, this.#parts.provide(rule), (numbers) => {
      for (let at = 0; at === 0 || at < wire.outputs.length; at += OUTPUTS_PER_MESSAGE) {
        const end = at + OUTPUTS_PER_MESSAGE;
        const part = { ...wire, outputs: wire.outputs.slice(at, end) };
        const more = end < wire.outputs.length;
        this.#outbox.push({ kind: "rule", rule: part, sockets: numbers.slice(at, end), more });
      }
    });
    this.#digest.set(wire);
    if (whole) return void this.#short.delete(id);
    this.#short.add(id);
    this.#after("sockets", AGAIN, () => {
      for (const each of this.#short) this.#changed.add(each);
      this.#pump();
    });
  }

  #drop(id: string): void {
    if (this.#digest.drop(id)) this.#outbox.push({ kind: "drop", id });
    this.#sockets.drop(id);
    this.#short.delete(id);
  }

  #compare({ number, hash, count }: Report & { readonly kind: "ack" }): void {
    const comparison = this.#comparison;
    if (comparison?.number !== number) return;
    this.#comparison = undefined;
    this.#clear("sync");
    if (hash === comparison.hash && count === comparison.count) {
      this.#mismatches = 0;
      for (const { resolve } of comparison.waiting) resolve(true);
      this.#after("compare", this.#parts.limits.compare, () => void this.sync());
      if (!this.#ran) this.#parts.running();
      this.#ran = true;
      return this.#pump();
    }
    const { name } = this.#parts;
    log.warning("{name}: the worker has {count} rules that are not the {wanted} it was told", {
      name,
      count,
      wanted: comparison.count,
    });
    this.#mismatches += 1;
    this.#waiting.unshift(...comparison.waiting);
    if (this.#mismatches > 1) return this.#kill("it has other rules than it was told");
    this.#restate();
    this.#pump();
  }

  /** The last packets of a rule; none when the worker ends, or does not answer in time. */
  async trace(id: string, most: number): Promise<readonly TracedPacket[]> {
    if (this.#over || !this.#ready) return [];
    const number = (this.#number += 1);
    const answer = Promise.withResolvers<readonly TracedPacket[]>();
    this.#traces.set(number, answer);
    this.#after(`trace ${number}`, this.#parts.limits.answer, () => answer.resolve([]));
    this.#outbox.push({ kind: "trace", number, id, most });
    try {
      return await answer.promise;
    } finally {
      this.#traces.delete(number);
      this.#clear(`trace ${number}`);
    }
  }

  /** Ends it once it has sent what it still had to send. @returns what it did; undefined when it could not say so */
  async stop(): Promise<FinalReport | undefined> {
    if (!this.#over) {
      // What comes from now on is not for it.
      this.#rings.silence();
      this.#outbox.push({ kind: "stop" });
      const { stop } = this.#parts.limits;
      this.#deadline("stop", stop, `it did not stop within ${stop / 1000} s`);
    }
    await this.ended;
    return this.#final;
  }
}
