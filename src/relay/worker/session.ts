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
export interface SessionPlane extends RuleTarget, Disposable {
  turn(timeoutMs: number, wakeFd: number): boolean;
  readonly dead: readonly number[];
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
  openPlane(rings: readonly Ring[]): SessionPlane;
  /** ms, never stepping. */
  readonly now: () => number;
}

/** One worker's work. */
export class Session<Ring extends SessionRing> implements Disposable {
  readonly #parts: SessionParts<Ring>;
  readonly #table: WorkerTable;
  #rings: readonly Ring[] = [];
  /** That come into use at the next `sync`, if any do. */
  #coming: Ring[] | undefined;
  #plane: SessionPlane;
  readonly #told = new Set<number>();
  #beatAt = -Infinity;
  #stopping = false;

  constructor(parts: SessionParts<Ring>) {
    this.#parts = parts;
    this.#plane = parts.openPlane([]);
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
    for (const ring of this.#plane.dead) {
      if (this.#told.has(ring)) continue;
      this.#told.add(ring);
      this.#say({ kind: "dead", ring });
    }
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
      case "rings":
        // Some that were opened again before they came into use.
        for (const ring of this.#coming ?? []) ring[Symbol.dispose]();
        this.#coming = [];
        return;
      case "ring":
        this.#coming?.push(this.#parts.openRing(fds[0]!, order.layout));
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

  #sync(number: number): void {
    this.#table.settle();
    if (this.#coming) this.#exchange(this.#coming);
    this.#say({ kind: "ack", number, ...this.#table.state });
  }

  /** Goes over to the rings that have come. */
  #exchange(coming: readonly Ring[]): void {
    const [before, rings] = [this.#plane, this.#rings];
    this.#rings = coming;
    this.#coming = undefined;
    this.#told.clear();
    this.#plane = this.#parts.openPlane(this.#rings);
    this.#table.move(this.#plane);
    before.drain();
    this.#statistics(rings);
    before[Symbol.dispose]();
    for (const ring of rings) ring[Symbol.dispose]();
  }

  #statistics(rings: readonly Ring[]): void {
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
    this.#statistics(this.#rings);
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
    for (const ring of [...this.#rings, ...(this.#coming ?? [])]) ring[Symbol.dispose]();
    this.#table[Symbol.dispose]();
  }
}
