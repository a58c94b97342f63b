/** What a worker does all its life: packets, then what the supervisor has to say, and once a second how it goes. */
import type { Channel, Received } from "../../linux/channel.ts";
import type { Fd } from "../../linux/fd.ts";
import { COUNTERS } from "../model.ts";
import { type Cells, RING_COUNTERS, type RingCounts } from "./cells.ts";
import { type FinalReport, MOST_TRACED, type Order, type Report, type TracedPacket } from "./message-codec.ts";
import { type RuleTarget, WorkerTable } from "./table.ts";

/** Longest wait for packets and orders, ms. */
const WAIT = 500;
/** Between two looks at the rings' statistics, ms. */
const BEAT = 1000;
/** Orders that are followed in a row, so that packets do not wait for long. */
const ORDERS = 64;

/** A ring that packets come in by. */
export interface SessionRing extends Disposable {
  /** Since it was last asked. */
  statistics(): RingCounts;
}

/** What carries rules out; {@link UserPlane} is one. */
export interface SessionPlane<Ring> extends RuleTarget, Disposable {
  turn(timeoutMs: number, wakeFd: number): boolean;
  /** Those that nothing comes by any more. */
  readonly dead: ReadonlySet<Ring>;
  /** Packets come by these from now on; what those that are not among them still have is carried out. */
  useRings(rings: readonly Ring[]): void;
  drain(): void;
  trace?(id: string, most: number): readonly TracedPacket[];
}

/** What a session is made of. */
export interface SessionParts<Ring extends SessionRing> {
  readonly channel: Channel;
  /** Shared with the supervisor. */
  readonly numbers: Float64Array;
  readonly cells: Cells;
  openRing(fd: Fd, layout: unknown): Ring;
  /** By which nothing comes yet. */
  openPlane(): SessionPlane<Ring>;
  /** ms, never stepping. */
  readonly now: () => number;
}

/** One worker's work. */
export class Session<Ring extends SessionRing> implements Disposable {
  readonly #parts: SessionParts<Ring>;
  readonly #table: WorkerTable;
  readonly #plane: SessionPlane<Ring>;
  readonly #rings = new Map<number, Ring>();
  /** Those that are in use from the next `sync` on, when they are others. */
  #wanted: readonly number[] | undefined;
  /** Those that the supervisor knows to be dead. */
  readonly #told = new Set<number>();
  #beatAt = -Infinity;
  #stopping = false;

  constructor(parts: SessionParts<Ring>) {
    this.#parts = parts;
    this.#plane = parts.openPlane();
    this.#table = new WorkerTable(this.#plane);
    this.#say({ kind: "ready" });
  }

  /** It ends after this turn. */
  stop(): void {
    this.#stopping = true;
  }

  /** Goes round once: waits for packets or orders, and does them. @returns whether there will be another turn */
  turn(): boolean {
    const { channel, now } = this.#parts;
    if (this.#plane.turn(WAIT, channel.fd)) this.#obey();
    if (this.#plane.dead.size > this.#told.size) this.#tellDead();
    if (now() - this.#beatAt >= BEAT) this.#beat(now());
    return !this.#stopping && !channel.ended;
  }

  #obey(): void {
    const { channel } = this.#parts;
    for (let i = 0; i < ORDERS; i += 1) {
      const received = channel.receive();
      if (!received) return;
      this.#follow(received.message as Order, received);
    }
  }

  #follow(order: Order, { fds }: Received): void {
    switch (order.kind) {
      case "ring":
        return void this.#rings.set(order.number, this.#parts.openRing(fds[0]!, order.layout));
      case "rings":
        this.#wanted = order.numbers;
        return;
      case "begin":
        return this.#table.begin();
      case "socket":
        return this.#table.open(order.number, order.socket, fds[0]!);
      case "close":
        return this.#table.close(order.number);
      case "rule":
        return this.#table.take(order);
      case "drop":
        return this.#table.drop(order.id);
      case "sync":
        return this.#sync(order.number);
      case "trace": {
        const packets = this.#plane.trace?.(order.id, Math.min(order.most, MOST_TRACED)) ?? [];
        return this.#say({ kind: "traced", number: order.number, packets });
      }
      case "stop":
        return this.stop();
    }
  }

  #tellDead(): void {
    for (const [number, ring] of this.#rings) {
      if (!this.#plane.dead.has(ring) || this.#told.has(number)) continue;
      this.#told.add(number);
      this.#say({ kind: "dead", ring: number });
    }
  }

  #sync(number: number): void {
    this.#table.settle();
    if (this.#wanted) this.#useRings(new Set(this.#wanted));
    this.#say({ kind: "ack", number, ...this.#table.state });
  }

  /** @throws RangeError when one has not come */
  #useRings(wanted: ReadonlySet<number>): void {
    this.#wanted = undefined;
    for (const number of wanted) if (!this.#rings.has(number)) throw new RangeError(`ring ${number} has not come`);
    const leaving = [...this.#rings].filter(([number]) => !wanted.has(number));
    for (const [number] of leaving) {
      this.#rings.delete(number);
      this.#told.delete(number);
    }
    this.#plane.useRings([...this.#rings.values()]);
    this.#statistics(leaving.map(([, ring]) => ring));
    for (const [, ring] of leaving) ring[Symbol.dispose]();
  }

  #statistics(rings: Iterable<Ring>): void {
    const { numbers, cells } = this.#parts;
    for (const ring of rings) {
      const counts = ring.statistics();
      for (const [index, name] of RING_COUNTERS.entries())
        numbers[cells.ring + index] = (numbers[cells.ring + index] ?? 0) + counts[name];
    }
  }

  #beat(now: number): void {
    const { numbers, cells } = this.#parts;
    this.#beatAt = now;
    this.#statistics(this.#rings.values());
    numbers[cells.beat] = (numbers[cells.beat] ?? 0) + 1;
  }

  #say(report: Report): void {
    // One that finds no room is lost: a supervisor that reads nothing asks again, or ends this process.
    this.#parts.channel.send(report);
  }

  /** Sends what is still to be sent, and says what was done in all. */
  finish(): FinalReport {
    this.#plane.drain();
    this.#beat(this.#parts.now());
    const { numbers, cells } = this.#parts;
    const { rules } = this.#table;
    const count = (slot: number, index: number): number => numbers[slot * COUNTERS.length + index] ?? 0;
    const total = (slots: readonly number[], index: number): number =>
      slots.reduce((sum, slot) => sum + count(slot, index), 0);
    const inputs = rules.map(({ slot }) => slot);
    const outputs = rules.flatMap((rule) => rule.outputs.map(({ slot }) => slot));
    const [packets, bytes, sendErrors] = [
      COUNTERS.indexOf("packets"),
      COUNTERS.indexOf("bytes"),
      COUNTERS.indexOf("sendErrors"),
    ];
    const ring = RING_COUNTERS.map((name, index) => [name, numbers[cells.ring + index] ?? 0]);
    const report: FinalReport = {
      rules: rules.length,
      packets: total(inputs, packets),
      bytes: total(inputs, bytes),
      copies: total(outputs, packets),
      sendErrors: total(outputs, sendErrors),
      ring: Object.fromEntries(ring) as RingCounts,
    };
    this.#say({ kind: "final", ...report });
    return report;
  }

  [Symbol.dispose](): void {
    this.#plane[Symbol.dispose]();
    for (const ring of this.#rings.values()) ring[Symbol.dispose]();
    this.#table[Symbol.dispose]();
  }
}
