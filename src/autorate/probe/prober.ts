/**
 * Measures one link: asks reflectors in turn, matches their answers, and judges them against their baselines. It runs by
 * itself from {@link Prober.start} on; whoever decides on rates takes from it what came since the last time.
 *
 * Nothing that happens to the line ends it: without a route, without the interface, without any answer it goes on, and
 * says in {@link Prober.usable} what is amiss.
 */
import type { Both } from "../../core/both.ts";
import type { Clock } from "../../core/clock.ts";
import { logger } from "../../core/log.ts";
import { decodeReply, encodeRequest, type IcmpReply, timeOfDay } from "../../linux/icmp/codec.ts";
import { type Identifier, takeIdentifier } from "../../linux/icmp/identifier.ts";
import type { Arrival } from "../../linux/icmp/socket.ts";
import type { Netns } from "../../linux/netns.ts";
import { collectDeltas } from "../baseline.ts";
import type { ProbeConfig } from "../config.ts";
import type { Judged, Outstanding, Random } from "../model.ts";
import type { Reflector } from "../reflectors/reflector.ts";
import { Flight } from "./flight.ts";
import { kindOf, kindsToAsk } from "./ladder.ts";
import type { Known, ReflectorState } from "./known.ts";
import { LinkSockets } from "./link-sockets.ts";
import { Pacer, type Turn } from "./pacer.ts";
import { Roster } from "./roster.ts";
import { stateOf } from "./table.ts";
import { type Usable, usableOf } from "./usable.ts";
import { before, type Moment, Wall } from "./wall.ts";

/** What a prober is made of. */
export interface ProberOptions {
  readonly config: ProbeConfig;
  /** Of the link, for messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Where probes leave; this process's own namespace when left out. */
  readonly netns?: Netns;
  /** The whole list. */
  readonly reflectors: readonly Reflector[];
  /** Called for each sample as it comes; {@link Prober.take} gives it all the same. */
  readonly onSample?: (sample: Judged) => void;
}

/** Answers older than this many ticks are not fresh; a tick is at least so long, s. */
const SHORTEST_TICK = 0.5;
/** Between two looks at what time alone brings about, ms. */
const HOUSEKEEPING = 100;
/** Samples kept for whoever takes them, at most. */
const MOST_SAMPLES = 10_000;
/** Probes that were not taken to be sent because nothing can be sent: the kernel's names for "no way". */
const NO_WAY: readonly string[] = ["ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT"];

const log = logger("autorate", "probe");

/** The middle of ascending numbers, the lower one of two; 0 of none. */
const middle = (numbers: readonly number[]): number => numbers[(numbers.length - 1) >> 1] ?? 0;

/** One link's. */
export class Prober implements AsyncDisposable {
  readonly #options: ProberOptions;
  readonly #id: Identifier;
  readonly #wall: Wall;
  readonly #flight = new Flight();
  readonly #sockets: LinkSockets;
  readonly #roster: Roster;
  readonly #refused: Record<string, number> = {};
  #pacer: Pacer;
  #timer: NodeJS.Timeout | undefined;
  #samples: Judged[] = [];
  #state: "made" | "running" | "paused" | "ended" = "made";
  #sequence = 0;
  #round = 0;
  #kept = -Infinity;

  constructor(options: ProberOptions) {
    const { config, name, clock, random, netns } = options;
    this.#options = options;
    this.#id = takeIdentifier(random);
    this.#wall = new Wall(clock);
    this.#sockets = new LinkSockets({
      name,
      id: this.#id.number,
      netns,
      device: config.sourceInterface,
      source: config.sourceAddress,
      mark: config.fwmark,
      arrived: (family, arrival) => this.#arrived(family, arrival),
    });
    const sourceFamily = config.sourceAddress === undefined ? undefined : config.sourceAddress.includes(":") ? 6 : 4;
    const fitting = options.reflectors.filter(({ family }) => sourceFamily === undefined || family === sourceFamily);
    this.#roster = new Roster(fitting, config, this.#now(), random);
    this.#pacer = new Pacer(config.interval * 1000, clock.monotonic());
  }

  /** Begins to ask. @throws SluiceError AUTORATE_PROBE_PERMISSION */
  start(): void {
    if (this.#state !== "made") return;
    const families = new Set(this.#roster.peers.map(({ reflector }) => reflector.family));
    for (const family of families) this.#sockets.open(family, this.#now());
    this.#run();
  }

  /** What came since the last take, and the probes of those that count which may still be answered, the oldest first. */
  take(): { samples: Judged[]; outstanding: Outstanding[] } {
    const samples = this.#samples;
    this.#samples = [];
    const outstanding = this.#flight.waiting.flatMap(({ address, kind, sent }): Outstanding[] => {
      const known = this.#roster.isPeer(address) ? this.#roster.find(address) : undefined;
      const mode = known?.ladder.mode;
      // What is only tried may well go unanswered for ever.
      if (!known || (mode && kindOf(mode) !== kind)) return [];
      const baseline = known.baseline?.rtt.base;
      return [{ reflector: address, sent: sent.monotonic / 1000, ...(baseline !== undefined && { baseline }) }];
    });
    return { samples, outstanding };
  }

  /** Smoothed deltas of those that answered within the last two ticks, ascending, ms. @param now s */
  deltas(now: number): Both<number[]> {
    const states = this.#roster.peers.flatMap(({ ladder, baseline }) => (ladder.mode && baseline ? [baseline] : []));
    return collectDeltas(states, now, this.#tick);
  }

  /** Everybody of whom something is known, those that count first. */
  get table(): readonly ReflectorState[] {
    const { peers } = this.#roster;
    const others = this.#roster.known.filter(({ reflector }) => !this.#roster.isPeer(reflector.address));
    return [...peers, ...others].map((known) => stateOf(known, this.#roster));
  }

  /** How many of those that count have answered of late, and what is amiss when these are not all. */
  get usable(): Usable {
    const families = new Set(this.#roster.peers.map(({ reflector }) => reflector.family));
    return usableOf({
      now: this.#now(),
      tick: this.#tick,
      paused: this.#state === "paused",
      peers: this.#roster.peers,
      blocked: [...families].map((family) => this.#sockets.reason(family)).find((reason) => reason !== undefined),
    });
  }

  /** What went wrong when probes were sent, by the kernel's names, and answers of nobody that was asked, by reason. */
  get counters(): {
    readonly errors: Readonly<Record<string, number>>;
    readonly refused: Readonly<Record<string, number>>;
  } {
    return { errors: { ...this.#sockets.errors }, refused: { ...this.#refused } };
  }

  /** Stops asking until {@link resume}. */
  pause(): void {
    if (this.#state !== "running") return;
    this.#state = "paused";
    clearTimeout(this.#timer);
    this.#flight.overlook();
  }

  /** Goes on. */
  resume(): void {
    if (this.#state !== "paused") return;
    this.#roster.wake(this.#now());
    this.#run();
  }

  /** Other reflectors are wished for; many wishes are one. */
  reselect(): void {
    this.#roster.wish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#state = "ended";
    clearTimeout(this.#timer);
    this.#sockets[Symbol.dispose]();
    this.#id[Symbol.dispose]();
    return Promise.resolve();
  }

  /** s */
  #now(): number {
    return this.#options.clock.monotonic() / 1000;
  }

  get #tick(): number {
    return Math.max(SHORTEST_TICK, this.#options.config.interval);
  }

  #run(): void {
    this.#state = "running";
    const { clock, config, random } = this.#options;
    const interval = config.interval * 1000;
    // Links that start together do not ask together.
    const spread = (random() * interval) / Math.max(1, config.reflectors);
    this.#pacer = new Pacer(interval, clock.monotonic() + spread);
    this.#schedule();
  }

  #schedule(): void {
    const wait = Math.max(0, this.#pacer.due - this.#options.clock.monotonic());
    this.#timer = setTimeout(() => this.#turn(), Math.ceil(wait));
  }

  #turn(): void {
    if (this.#state !== "running") return;
    const now = this.#options.clock.monotonic();
    if (now - this.#kept >= HOUSEKEEPING) this.#keep(now);
    if (this.#pacer.isOver) this.#pacer.begin(this.#nextRound());
    const turn = this.#pacer.next(now);
    if (turn) this.#ask(turn);
    this.#schedule();
  }

  #nextRound(): Turn[] {
    this.#round += 1;
    const turns = (known: Known): Turn[] =>
      kindsToAsk(known.ladder, known.modes).map((kind) => ({ address: known.reflector.address, kind }));
    const peers = this.#roster.peers.map(turns);
    // Candidates are many, so they are asked in one kind at a time.
    const candidates = this.#roster.candidates.map((known) => {
      const all = turns(known);
      return all.length === 0 ? [] : [all[this.#round % all.length]!];
    });
    const order = [0, 1].flatMap((place) => peers.flatMap((own) => own.slice(place, place + 1)));
    return [...order, ...candidates.flat()];
  }

  /** What time alone brings about. */
  #keep(now: number): void {
    this.#kept = now;
    for (const { address } of this.#flight.expire(now)) this.#roster.find(address)?.note(true);
    const seconds = now / 1000;
    for (const known of [...this.#roster.peers, ...this.#roster.candidates])
      if (known.passTime(seconds)) this.#tellMode(known);
    for (const change of this.#roster.passTime(seconds)) {
      const { name } = this.#options;
      if (change.kind === "replaced")
        log.info("{link}: {by} is asked instead of {address}: {reason}", { link: name, ...change });
      else
        log.debug("{link}: {answered} answered, {peers} are asked", {
          link: name,
          ...change,
          peers: change.peers.join(" "),
        });
    }
    if (2 * this.usable.count < this.#roster.peers.length) this.#roster.wish();
  }

  #tellMode({ reflector, ladder }: Known): void {
    const { name: link } = this.#options;
    const { address } = reflector;
    const { mode, reason } = ladder;
    if (mode && reason !== undefined)
      log.info("{link}: {address} is asked by {mode}: {reason}", { link, address, mode, reason });
    else log.debug("{link}: {address} is asked by {mode}", { link, address, mode: mode ?? "everything" });
  }

  #ask({ address, kind }: Turn): void {
    const known = this.#roster.find(address);
    if (!known) return;
    const { family } = known.reflector;
    const sequence = this.#sequence;
    this.#sequence = (sequence + 1) & 0xffff;
    const sent = this.#wall.read();
    const token =
      kind === "timestamp" ? Math.floor(timeOfDay(sent.wall)) : Math.floor(this.#options.random() * 2 ** 32);
    const packet = encodeRequest({ family, kind, id: this.#id.number, sequence, token });
    const failure = this.#sockets.send(family, known.to, packet, sent.monotonic / 1000);
    known.blocked = failure === undefined ? undefined : this.#sockets.reason(family);
    if (failure === undefined) {
      known.sent += 1;
      this.#flight.add({ address, kind, sequence, token, sent });
      this.#roster.wayTo(family);
    } else if (NO_WAY.includes(failure)) this.#roster.noWayTo(family, sent.monotonic / 1000);
  }

  #arrived(family: 4 | 6, { from, packet, age }: Arrival): void {
    const received = before(this.#wall.read(), age);
    const known = this.#roster.find(from);
    const refuse = (reason: string): void => {
      if (known) known.refuse(reason);
      else this.#refused[reason] = (this.#refused[reason] ?? 0) + 1;
    };
    const reply = decodeReply(family, packet, this.#id.number);
    if (typeof reply === "string") refuse(reply);
    else if (known) this.#answered(known, reply, received, refuse);
    else refuse("address");
  }

  #answered(known: Known, reply: IcmpReply, received: Moment, refuse: (reason: string) => void): void {
    const { address } = known.reflector;
    const found = this.#flight.match(address, reply.kind, reply.sequence, reply.token, received.monotonic);
    if (typeof found === "string") {
      refuse(found);
      return;
    }
    known.note(true, found.overtaken);
    const heard = known.hear(found.probe, received, reply, this.#queued(known));
    this.#roster.heard(address, heard.rtt);
    if (heard.moved) this.#tellMode(known);
    if (heard.reselect) this.#roster.wish();
    if (!heard.judged || !this.#roster.isPeer(address)) return;
    this.#samples.push(heard.judged);
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    this.#options.onSample?.(heard.judged);
  }

  /** What the others of those that count see of queues now, ms; none of them may only guess it. */
  #queued(besides: Known): Both<number> | undefined {
    const now = this.#now();
    const states = this.#roster.peers.flatMap((known) => {
      const { ladder, baseline } = known;
      return known !== besides && ladder.mode && baseline && baseline.guessed <= now ? [baseline] : [];
    });
    const { download, upload } = collectDeltas(states, now, this.#tick);
    return download.length === 0 ? undefined : { download: middle(download), upload: middle(upload) };
  }
}
