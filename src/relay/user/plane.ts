/**
 * The user plane: takes packets from rings, finds their rules, and sends copies of them. One thread, which waits in poll(2) and
 * allocates nothing for a packet. Payloads are sent from the memory that the kernel put them in.
 */
import { poll } from "../../linux/ffi.ts";
import type { RxRing } from "../../linux/packet/ring.ts";
import { type Counter, COUNTERS, type PlaneRule, REASONS } from "../model.ts";
import type { TracedPacket } from "../worker/message-codec.ts";
import { ActiveRule, type OutputSocket } from "./active-rule.ts";
import { Batch, MOST_PACKETS } from "./batch.ts";
import { Packet } from "./packet.ts";
import { parse } from "./parse.ts";
import { Sender } from "./sender.ts";
import { RuleTable } from "./table.ts";
import { Trace, type TraceOutcome } from "./trace.ts";

export type { OutputSocket } from "./active-rule.ts";

const index = (counter: Counter): number => COUNTERS.indexOf(counter);
const PACKETS = index("packets");
const BYTES = index("bytes");
const CAPPED = index("capped");
const SHED = index("shed");
const NO_RULE = REASONS.indexOf("noRule");

const POLLIN = 1;
const POLLERR = 8;
const POLLNVAL = 0x20;
/** Batches of one ring before the others, and whoever wakes the plane, have their turn. */
const BATCHES = 64;
/** And the time after which they have it, ms: with many outputs a batch is long, and whoever gives orders waits for an answer. */
const LONGEST = 50;
/** Longer than a block of a ring waits for more packets, ms. */
const LAST_WAIT = 10;

/** How long after a packet of a higher class those of lower ones make room for the next, ms. */
const FAVOURED = 1000;

/** What a plane works with. */
export interface PlaneParts {
  /** By which packets come; none so far when left out. Stay the caller's. */
  readonly rings?: readonly RxRing[];
  /** By slot, then those of REASONS, then how many frames were taken. */
  readonly counters: Float64Array;
  /** How many slots there are. */
  readonly slots: number;
  /** ms, never stepping. */
  readonly clock: () => number;
}

/** One plane. */
export class UserPlane implements Disposable {
  #rings: readonly RxRing[] = [];
  readonly #counters: Float64Array;
  readonly #reasons: number;
  readonly #taken: number;
  readonly #clock: () => number;
  readonly #tables = { 4: new RuleTable(4), 6: new RuleTable(6) };
  /** By the value in the table. */
  readonly #rules: (ActiveRule | undefined)[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #free: number[] = [];
  readonly #packet = new Packet();
  readonly #batch = new Batch();
  readonly #sender: Sender;
  /** Rules with packets in the batch. */
  readonly #busy: ActiveRule[] = [];
  /** Array of struct pollfd: s32 fd, s16 events, s16 revents. */
  #polled = new Int32Array(2);
  readonly #dead = new Set<RxRing>();
  /** Rings whose interface is down, or was: when it goes after that, no error tells of it. */
  readonly #down = new Set<RxRing>();
  /** By rank, when a packet came last. */
  readonly #seen = new Float64Array(3).fill(-FAVOURED);
  #now = 0;

  constructor({ rings = [], counters, slots, clock }: PlaneParts) {
    this.#counters = counters;
    this.#reasons = slots * COUNTERS.length;
    this.#taken = this.#reasons + REASONS.length;
    this.#clock = clock;
    this.#sender = new Sender(this.#batch, counters);
    this.#listen(rings);
  }

  /** Rings whose interface is gone. */
  get dead(): ReadonlySet<RxRing> {
    return this.#dead;
  }

  /** Packets come by these from now on. What those that are not among them still have is carried out before. */
  useRings(rings: readonly RxRing[]): void {
    for (const ring of this.#rings.filter((each) => !rings.includes(each))) {
      this.#listen([ring]);
      this.drain();
      this.#down.delete(ring);
      this.#dead.delete(ring);
    }
    this.#listen(rings);
  }

  #listen(rings: readonly RxRing[]): void {
    this.#rings = rings;
    this.#polled = new Int32Array(2 * (rings.length + 1));
    rings.forEach((ring, at) => this.#polled.set([this.#dead.has(ring) ? -1 : ring.fd, POLLIN], 2 * at));
  }

  /** Adds a rule, or replaces it. @param sockets one for each output, in their order; they stay the caller's. @throws RangeError */
  setRule(rule: PlaneRule, sockets: readonly OutputSocket[]): void {
    const before = this.#find(rule.id);
    const active = new ActiveRule(rule, sockets, before, this.#clock());
    if (before?.family === active.family) active.trace = before.trace;
    this.removeRule(rule.id);
    const number = this.#free.pop() ?? this.#rules.length;
    this.#rules[number] = active;
    this.#numbers.set(rule.id, number);
    this.#tables[active.family].set(rule.id, rule, number);
  }

  /** Removes a rule, if it is there. */
  removeRule(id: string): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.#tables[this.#rules[number]!.family].delete(id);
    this.#rules[number] = undefined;
    this.#numbers.delete(id);
    this.#free.push(number);
  }

  #find(id: string): ActiveRule | undefined {
    const number = this.#numbers.get(id);
    return number === undefined ? undefined : this.#rules[number];
  }

  /** The last packets that came in for a rule since this was first asked, and none of a rule that is not there. */
  trace(id: string, most: number): readonly TracedPacket[] {
    const rule = this.#find(id);
    if (!rule) return [];
    const now = Date.now();
    rule.trace ??= new Trace(rule.family, now);
    return rule.trace.packets(most, now);
  }

  /**
   * Waits until packets have come, a descriptor can be read, or the time is over, and carries out what came.
   *
   * @param timeoutMs ms; -1: for ever
   * @param wakeFd -1: none
   * @returns whether the descriptor can be read
   */
  turn(timeoutMs: number, wakeFd: number): boolean {
    return this.#turn(timeoutMs, wakeFd, this.#some);
  }

  #turn(timeoutMs: number, wakeFd: number, carry: (ring: RxRing) => void): boolean {
    const polled = this.#polled;
    const last = polled.length - 2;
    polled[last] = wakeFd;
    polled[last + 1] = POLLIN;
    const ready = poll(polled, polled.length / 2, timeoutMs);
    for (const ring of this.#down) this.#fault(ring);
    if (ready <= 0) return false;
    for (let at = 0; at < this.#rings.length; at += 1) {
      const ring = this.#rings[at]!;
      const events = polled[2 * at + 1]! >> 16;
      if ((events & POLLIN) !== 0) {
        this.#down.delete(ring);
        carry(ring);
      }
      if ((events & (POLLERR | POLLNVAL)) !== 0) this.#fault(ring);
    }
    return polled[last + 1]! >> 16 !== 0;
  }

  /** Carries out all that has come until now. */
  drain(): void {
    this.#turn(0, -1, this.#all);
    // A block that is not full is handed over some time later.
    if (this.#rings.length > 0) this.#turn(LAST_WAIT, -1, this.#all);
  }

  /** An error is told of again and again unless it is taken; of a ring that is dead nothing is asked any more. */
  #fault(ring: RxRing): void {
    if (ring.failed() === "down") return void this.#down.add(ring);
    this.#down.delete(ring);
    this.#polled[2 * this.#rings.indexOf(ring)] = -1;
    this.#dead.add(ring);
  }

  readonly #some = (ring: RxRing): void => this.#carry(ring, BATCHES, LONGEST);
  readonly #all = (ring: RxRing): void => this.#carry(ring, ring.mostBatches, Infinity);

  /** What is left waits for the next turn. @param most batches @param longest ms */
  #carry(ring: RxRing, most: number, longest: number): void {
    const until = this.#clock() + longest;
    for (let batch = 0; batch < most && ring.begin(); batch += 1) {
      const pressure = ring.pressure();
      this.#now = this.#clock();
      while (ring.next()) this.#take(ring, pressure);
      this.#flush();
      ring.release();
      if (this.#clock() >= until) return;
    }
  }

  #take(ring: RxRing, pressure: number): void {
    const packet = this.#packet;
    const counters = this.#counters;
    counters[this.#taken]! += 1;
    if (!parse(ring, packet)) {
      counters[this.#reasons + packet.reason]! += 1;
      return;
    }
    // Tagged, but for no VLAN: these come by the ring for untagged frames as well.
    if (ring.tagged && packet.vlan === 0) return;
    const { segments, payload } = packet;
    const number = this.#tables[packet.family].lookup(packet);
    const rule = number < 0 ? undefined : this.#rules[number];
    if (!rule) {
      counters[this.#reasons + NO_RULE]! += segments;
      return;
    }
    counters[rule.counters + PACKETS]! += segments;
    counters[rule.counters + BYTES]! += payload;
    this.#seen[rule.rank] = this.#now;
    const outcome = this.#outcome(rule, pressure);
    if (outcome === "shed") counters[rule.counters + SHED]! += segments;
    else if (outcome === "capped") counters[rule.counters + CAPPED]! += segments;
    else this.#add(rule, ring);
    if (rule.trace && !rule.trace.take(packet, ring.view, outcome, Date.now())) rule.trace = undefined;
  }

  #outcome(rule: ActiveRule, pressure: number): TraceOutcome {
    if (pressure > rule.rank && this.#isOutranked(rule.rank)) return "shed";
    const { segments, payload } = this.#packet;
    return rule.cap && !rule.cap.passes(this.#now, segments, payload) ? "capped" : "sent";
  }

  /** Whether packets of a higher class come: room that nobody needs more is not made. */
  #isOutranked(rank: number): boolean {
    for (let other = rank + 1; other < this.#seen.length; other += 1)
      if (this.#now - this.#seen[other]! < FAVOURED) return true;
    return false;
  }

  #add(rule: ActiveRule, ring: RxRing): void {
    const packet = this.#packet;
    const at = this.#batch.add(packet, ring.view, ring.base);
    if (rule.head < 0) {
      rule.head = at;
      rule.largest = 0;
      this.#busy.push(rule);
    } else {
      this.#batch.next[rule.tail] = at;
    }
    rule.tail = at;
    if (packet.segment > rule.largest) rule.largest = packet.segment;
    if (this.#batch.count === MOST_PACKETS) this.#flush();
  }

  #flush(): void {
    for (const rule of this.#busy) {
      this.#sender.send(rule);
      rule.head = -1;
    }
    this.#busy.length = 0;
    this.#batch.clear();
  }

  [Symbol.dispose](): void {
    this.#sender[Symbol.dispose]();
  }
}
