/** Sends numbered datagrams at a pace, in the thread it is called on: many at a time, cut apart by the kernel. */
import { setImmediate } from "node:timers/promises";
import { ERRNO, SystemError } from "../../linux/errno.ts";
import type { Fd } from "../../linux/fd.ts";
import { Arena } from "../../linux/packet/arena.ts";
import { knowsAggregates } from "../../linux/packet/ring.ts";
import { realtime } from "../../linux/realtime.ts";
import { type EgressTarget, openConnectedEgress } from "../../linux/udp/egress.ts";
import { familyOf } from "../../linux/udp/sockaddr.ts";
import { Messages, MOST_SEGMENTS } from "../../linux/udp/messages.ts";
import { Pacer } from "./pacer.ts";
import { writeStream, writeTurn } from "./stamp.ts";

/** Most datagrams of one turn of a stream. */
const MOST_AT_ONCE = 512;
/** Most bytes of a message that is cut. */
const MOST_BYTES = 65_000;
/** How long the thread is kept from everything else, ms. */
const TURN = 5;
/** What the kernel says when it does not cut a message. */
const UNCUT: ReadonlySet<number> = new Set([ERRNO.EINVAL, ERRNO.EMSGSIZE, ERRNO.EIO]);
/** What a host said to an earlier datagram: this one was not even tried. */
const ANSWERS: ReadonlySet<number> = new Set([ERRNO.ECONNREFUSED, ERRNO.ENOPROTOOPT]);
/** What a full qdisc says. */
const FULL: ReadonlySet<number> = new Set([ERRNO.EAGAIN, ERRNO.ENOBUFS]);
/** Shorter ones are not worth the call, ms. */
const LEAST_WAIT = 0.02;
const nothing = new Int32Array(new SharedArrayBuffer(4));

/** What to send. */
export interface TrafficPlan {
  readonly targets: readonly EgressTarget[];
  /** Of each stream, packets a second; Infinity: as many as go. */
  readonly rate: number;
  /** Of each datagram, bytes of payload; a stamp's at least. */
  readonly size: number;
  /** Of each stream; Infinity: until the time is over. */
  readonly packets: number;
  /** Infinity: until the packets are sent. */
  readonly seconds: number;
  /** Made up anew for each generator. */
  readonly run: number;
}

/** What became of a stream. */
export interface StreamSent {
  readonly packets: number;
  readonly bytes: number;
  /** Not taken by the kernel, and counted neither as sent nor again. */
  readonly errors: number;
  /** What the kernel said to the last of those. */
  readonly error?: string;
  /** Its datagrams said that there would be so many more. */
  readonly unsent: number;
}

/** How many of a stream there will be, when its pace can be kept; Infinity when nobody knows. */
const totalOf = ({ rate, packets, seconds }: TrafficPlan): number =>
  Math.min(packets, Math.max(1, Math.round(rate * seconds)));

/** One stream of a generator. */
class Stream implements Disposable {
  readonly pacer: Pacer;
  /** How many to send. */
  readonly total: number;
  readonly #fd: Fd;
  readonly #arena: Arena;
  readonly #view: DataView;
  readonly #size: number;
  readonly #family: 4 | 6;
  #segments: number;
  #errors = 0;
  #error = "";

  constructor(plan: TrafficPlan, number: number) {
    const output = plan.targets[number]!;
    this.#size = plan.size;
    this.#family = familyOf(output.group);
    const fit = Math.max(1, Math.min(MOST_SEGMENTS, Math.floor(MOST_BYTES / plan.size)));
    // Between two namespaces what is sent as one arrives as one, and a relay there could not take it apart.
    this.#segments = knowsAggregates() ? fit : 1;
    this.total = totalOf(plan);
    this.pacer = new Pacer(plan.rate);
    using owned = new DisposableStack();
    this.#fd = owned.use(openConnectedEgress(output));
    this.#arena = owned.use(Arena.own(Math.ceil((MOST_AT_ONCE * plan.size) / 4096) * 4096));
    owned.move();
    this.#view = new DataView(this.#arena.buffer);
    const total = Number.isFinite(this.total) ? this.total : 0;
    for (let at = 0; at < MOST_AT_ONCE; at += 1)
      writeStream(this.#view, at * plan.size, { run: plan.run, stream: number, total });
  }

  /** Sends what is due. @returns how many went or failed */
  send(messages: Messages, seconds: number): number {
    const first = this.pacer.sent;
    const due = Math.min(this.pacer.due(seconds, MOST_AT_ONCE), this.total - first);
    if (due <= 0) return 0;
    const now = realtime();
    for (let i = 0; i < due; i += 1) writeTurn(this.#view, i * this.#size, first + i, now);
    messages.clear();
    for (let i = 0; i < due; i += this.#segments) {
      const count = Math.min(this.#segments, due - i);
      messages.open(i);
      messages.add(this.#arena.address + i * this.#size, count * this.#size, count, count * this.#size);
      messages.close(count > 1 ? this.#size : 0, this.#family, 0);
    }
    messages.unnamed();
    messages.keepTos(false);
    return this.#push(messages);
  }

  /** Sends the messages; those from one on that was not tried are made again the next time. */
  #push(messages: Messages): number {
    let done = 0;
    for (let from = 0; from < messages.count;) {
      const sent = messages.send(this.#fd.number, from);
      if (sent > 0) {
        for (const end = from + sent; from < end; from += 1) done += messages.segments[from]!;
      } else if (FULL.has(-sent) || ANSWERS.has(-sent)) {
        break;
      } else if (messages.segments[from]! > 1 && UNCUT.has(-sent)) {
        this.#segments = 1;
        break;
      } else {
        this.#errors += messages.segments[from]!;
        this.#error = new SystemError("sendmmsg", -sent).message;
        done += messages.segments[from]!;
        from += 1;
      }
    }
    this.pacer.went(done);
    return done;
  }

  result(): StreamSent {
    const packets = this.pacer.sent - this.#errors;
    const bytes = packets * this.#size;
    const unsent = Number.isFinite(this.total) ? this.total - this.pacer.sent : 0;
    return { packets, bytes, errors: this.#errors, ...(this.#errors > 0 && { error: this.#error }), unsent };
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
    this.#fd[Symbol.dispose]();
  }
}

/** What a generator did. */
export interface TrafficSent {
  readonly streams: readonly StreamSent[];
  readonly seconds: number;
}

/** A generator, its sockets open. */
export class Generator implements Disposable {
  readonly #owned = new DisposableStack();
  readonly #plan: TrafficPlan;
  readonly #messages = this.#owned.use(new Messages());
  readonly #streams: readonly Stream[];

  /** Opens it, in this thread's namespace. @throws SystemError ENODEV, EADDRNOTAVAIL ... */
  constructor(plan: TrafficPlan) {
    this.#plan = plan;
    using owned = new DisposableStack();
    owned.use(this.#owned);
    this.#streams = plan.targets.map((_, number) => this.#owned.use(new Stream(plan, number)));
    owned.move();
  }

  /** Sends it all, in this thread; others of it have their turn every few milliseconds. @param signal ends it early */
  async run(signal: AbortSignal): Promise<TrafficSent> {
    const { rate, seconds } = this.#plan;
    const begin = performance.now();
    const elapsed = (): number => (performance.now() - begin) / 1000;
    // Who cannot keep the pace still sends what it said it would, if that does not take for ever.
    const end = Number.isFinite(rate) ? 2 * seconds + 1 : seconds;
    for (let turn = begin; !signal.aborted;) {
      const now = elapsed();
      const open = this.#streams.filter(({ pacer, total }) => pacer.sent < total);
      if (open.length === 0 || now >= end) break;
      let sent = 0;
      for (const stream of open) sent += stream.send(this.#messages, now);
      if (sent === 0) {
        const due = Math.min(...open.map(({ pacer }) => pacer.wait(now)));
        Atomics.wait(nothing, 0, 0, Math.min(Math.max(due * 1000, LEAST_WAIT), TURN));
      }
      if (performance.now() - turn < TURN) continue;
      await setImmediate();
      turn = performance.now();
    }
    return { streams: this.#streams.map((stream) => stream.result()), seconds: elapsed() };
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}
