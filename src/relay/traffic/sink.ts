/** Takes in what generators send, and tells what is missing, what came twice, in which order, and how long it took. */
import { setImmediate, setTimeout } from "node:timers/promises";
import type { Fd } from "../../linux/fd.ts";
import { MembershipPool } from "../../linux/multicast/membership.ts";
import type { Netns } from "../../linux/netns.ts";
import { type IngressPlace, ingressDrops, openIngress } from "../../linux/udp/ingress.ts";
import { Reception } from "../../linux/udp/reception.ts";
import { isGroup } from "../resolve.ts";
import { type ArrivalFigures, Arrivals } from "./arrivals.ts";
import { readStamp } from "./stamp.ts";

/** How long nothing is looked at when nothing is there, ms: the socket has room for what comes meanwhile, and each its time. */
const PAUSE = 2;
/** After all came: a copy of one may still be on its way, ms. */
const AFTER_ALL = 300;
/** How long others of the thread are kept waiting, ms. */
const TURN = 5;
/** Most streams of one place: memory is taken for each. */
const MOST_STREAMS = 64;

/** When to stop: whatever is first. */
export interface SinkUntil {
  /** Since it began. */
  readonly seconds: number;
  /** Nothing came for so many seconds, after something had. */
  readonly idle: number;
}

/** A stream that came. */
export interface ArrivedStream extends ArrivalFigures {
  readonly run: number;
  readonly stream: number;
}

/** What came to a place. */
export interface PlaceArrivals {
  readonly streams: readonly ArrivedStream[];
  /** Datagrams of nobody's generator. */
  readonly others: number;
  /** Datagrams that the socket had no room for; they are among the lost. */
  readonly dropped: number;
}

/** A place that is listened at. */
class Listener {
  readonly fd: Fd;
  readonly streams = new Map<string, { readonly run: number; readonly stream: number; readonly arrivals: Arrivals }>();
  others = 0;

  constructor(fd: Fd) {
    this.fd = fd;
  }

  /** Whether all came of all streams that said how many they are. */
  get isComplete(): boolean {
    return this.streams.size > 0 && this.streams.values().every(({ arrivals }) => arrivals.isComplete);
  }

  /** Takes in what is there. @returns how many came */
  take(reception: Reception): number {
    const count = reception.take(this.fd.number);
    for (let index = 0; index < count; index += 1) {
      const stamp = readStamp(reception.view, reception.at(index), reception.length(index));
      const known = stamp && this.#streamOf(stamp.run, stamp.stream);
      if (known) known.add(stamp, reception.length(index), reception.time(index));
      else this.others += 1;
    }
    return count;
  }

  #streamOf(run: number, stream: number): Arrivals | undefined {
    const key = `${run} ${stream}`;
    const known = this.streams.get(key);
    if (known || this.streams.size >= MOST_STREAMS) return known?.arrivals;
    const arrivals = new Arrivals();
    this.streams.set(key, { run, stream, arrivals });
    return arrivals;
  }

  result(): PlaceArrivals {
    const streams = [...this.streams.values()].map(({ run, stream, arrivals }) => ({
      run,
      stream,
      ...arrivals.figures(),
    }));
    return { streams, others: this.others, dropped: ingressDrops(this.fd.number) };
  }
}

/** A sink, listening. */
export class Sink implements AsyncDisposable {
  readonly #owned = new AsyncDisposableStack();
  readonly #reception = this.#owned.use(new Reception());
  readonly #listeners: Listener[] = [];

  /** Opens sockets and joins the groups. @param netns this thread's when left out @throws SystemError EADDRNOTAVAIL, ENODEV ... */
  static async open(places: readonly IngressPlace[], netns?: Netns): Promise<Sink> {
    await using owned = new AsyncDisposableStack();
    const sink = owned.use(new Sink());
    const pool = sink.#owned.use(new MembershipPool(netns));
    for (const place of places) {
      const fd = netns ? netns.run(() => openIngress(place)) : openIngress(place);
      sink.#listeners.push(new Listener(sink.#owned.use(fd)));
      if (isGroup(place.group)) await pool.join(place);
    }
    owned.move();
    return sink;
  }

  /** Takes in until it is over: the time, all that was to come, or a signal. @returns by place */
  async run({ seconds, idle }: SinkUntil, signal: AbortSignal): Promise<readonly PlaceArrivals[]> {
    const begin = performance.now();
    let [last, turn] = [Infinity, begin];
    for (;;) {
      let came = 0;
      for (const listener of this.#listeners) came += listener.take(this.#reception);
      const now = performance.now();
      if (came > 0) last = now;
      const isComplete = this.#listeners.every((listener) => listener.isComplete);
      const silent = isComplete ? Math.min(AFTER_ALL, idle * 1000) : idle * 1000;
      if (signal.aborted || now - last > silent || now - begin > seconds * 1000) break;
      if (came > 0 && now - turn < TURN) continue;
      await (came > 0 ? setImmediate() : setTimeout(PAUSE));
      turn = performance.now();
    }
    return this.#listeners.map((listener) => listener.result());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
