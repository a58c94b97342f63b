/** Which reflectors of a link are asked: what selection and health make of the list, and of what was seen of each. */
import type { ProbeConfig } from "../config.ts";
import type { Random } from "../model.ts";
import {
  checkHealth,
  firstHealth,
  isCheckDue,
  type HealthState,
  offencesOf,
  type Replacement,
  type Seen,
} from "../reflectors/health.ts";
import type { Reflector } from "../reflectors/reflector.ts";
import {
  beginSearch,
  endSearch,
  firstSelection,
  isSearchDue,
  replacePeer,
  type SelectionOptions,
  type SelectionState,
  shuffled,
  wish,
} from "../reflectors/selection.ts";
import { Known } from "./known.ts";

/** Reflectors that are known although they are not asked, at most: lists may be long, and routers small. */
const MOST_KNOWN = 256;
/** For how long a family to which there was no way is left out, s. */
const NO_WAY = 60;
/** How much further away one may be that gives one-way delays, ms, and still be preferred to one that gives none. */
const ONE_WAY_WORTH = 25;
/** A reflector must answer within this, s, or two probes' time. */
const DEADLINE = 1;

/** What changed among those that are asked, for the log. */
export type RosterChange =
  | ({ readonly kind: "replaced" } & Replacement)
  | { readonly kind: "chosen"; readonly peers: readonly string[]; readonly answered: number };

/** The reflectors of one link. Times in s. */
export class Roster {
  readonly #config: ProbeConfig;
  readonly #random: Random;
  readonly #options: SelectionOptions;
  readonly #pool: ReadonlyMap<string, Reflector>;
  readonly #known = new Map<string, Known>();
  /** Addresses that are next when one is replaced, the first first. */
  #spares: string[];
  #selection: SelectionState;
  #health: HealthState;
  /** Round trips of the search under way. */
  readonly #heard = new Map<string, { sum: number; count: number }>();
  /** Families to which there is no way, until when that is believed. */
  readonly #noWay = new Map<4 | 6, number>();
  readonly #hadWay = new Set<4 | 6>();
  /** Searches ended. */
  searches = 0;

  /** @param now s */
  constructor(reflectors: readonly Reflector[], config: ProbeConfig, now: number, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#options = { wanted: config.reflectors, reselect: config.reselect, interval: config.interval };
    this.#pool = new Map(reflectors.map((reflector) => [reflector.address, reflector]));
    const addresses = [...this.#pool.keys()];
    // Until the first search has ended, those that may give one-way delays.
    const stamped = addresses.filter((address) => this.#pool.get(address)!.family === 4);
    const first = config.modes[0] !== "echo" && stamped.length >= config.reflectors ? stamped : addresses;
    const selection = firstSelection(addresses, this.#options, now, random);
    this.#selection =
      selection.peers.length < addresses.length
        ? { ...selection, peers: shuffled(first, random).slice(0, config.reflectors) }
        : selection;
    this.#spares = shuffled(addresses, random);
    this.#health = firstHealth(now);
    for (const address of this.#selection.peers) this.#ask(address, now);
  }

  /** Those that count. */
  get peers(): readonly Known[] {
    return this.#selection.peers.map((address) => this.#known.get(address)!);
  }

  /** Those that are asked during a search only. */
  get candidates(): readonly Known[] {
    const { search, peers } = this.#selection;
    return search ? search.candidates.filter((a) => !peers.includes(a)).map((a) => this.#known.get(a)!) : [];
  }

  /** Everybody of whom something is known. */
  get known(): readonly Known[] {
    return [...this.#known.values()];
  }

  /** One of them. */
  find(address: string): Known | undefined {
    return this.#known.get(address);
  }

  /** Whether it is one of those that count. */
  isPeer(address: string): boolean {
    return this.#selection.peers.includes(address);
  }

  /** Offences of one in its last 60 checks. */
  offencesOf(address: string): number {
    return offencesOf(this.#health, address);
  }

  /** Others are wished for. */
  wish(): void {
    this.#selection = wish(this.#selection);
  }

  /** Notes a round trip, ms, for the search under way. */
  heard(address: string, rtt: number): void {
    if (!this.#selection.search) return;
    const { sum, count } = this.#heard.get(address) ?? { sum: 0, count: 0 };
    this.#heard.set(address, { sum: sum + rtt, count: count + 1 });
  }

  /**
   * Notes that there is no way to a family. Those of the other are asked instead when there is a way to them, or when there
   * has never been one to this: a line that only went down has a way again when it comes back.
   */
  noWayTo(family: 4 | 6, now: number): void {
    const other = family === 4 ? 6 : 4;
    const known = (this.#noWay.get(family) ?? -Infinity) > now;
    this.#noWay.set(family, now + NO_WAY);
    if (known || this.#noWay.has(other) || (this.#hadWay.has(family) && !this.#hadWay.has(other))) return;
    for (const { reflector } of this.peers) {
      const by = reflector.family === family ? this.#nextSpare(now) : undefined;
      if (by !== undefined) this.#replace(reflector.address, by, now);
    }
  }

  /** Notes that a probe left to a family. */
  wayTo(family: 4 | 6): void {
    this.#noWay.delete(family);
    this.#hadWay.add(family);
  }

  /** After a pause of ours: nobody was late, and what was due is not due at once. */
  wake(now: number): void {
    for (const known of this.#known.values()) known.wake(now);
    const { search: _search, ...rest } = this.#selection;
    const later = now + this.#options.interval + rest.gap;
    this.#selection = { ...rest, due: Math.max(rest.due, later), earliest: Math.max(rest.earliest, later) };
    this.#heard.clear();
    this.#health = { ...this.#health, checked: now, compared: now, rotated: now };
  }

  /** What time brings about: searches that begin and end, reflectors that are replaced. */
  passTime(now: number): readonly RosterChange[] {
    const changes: RosterChange[] = [];
    const { search } = this.#selection;
    if (search && now >= search.until) changes.push(this.#endSearch(now));
    else if (isSearchDue(this.#selection, now)) {
      this.#heard.clear();
      this.#selection = beginSearch(this.#selection, this.#reachable(now), this.#options, now, this.#random);
      for (const address of this.#selection.search!.candidates) this.#ask(address, now);
      this.#forget();
    }
    if (!this.#selection.search) changes.push(...this.#checkHealth(now));
    return changes;
  }

  #endSearch(now: number): RosterChange {
    const scores = new Map(
      [...this.#heard].map(([address, { sum, count }]) => [address, sum / count + this.#handicap(address)]),
    );
    const before = new Set(this.#selection.peers);
    this.#selection = endSearch(this.#selection, scores, this.#options, now, this.#random);
    this.searches += 1;
    for (const { reflector } of this.peers) {
      // Who was asked as a candidate only begins to count now.
      if (!before.has(reflector.address)) this.#known.get(reflector.address)!.since = now;
    }
    return { kind: "chosen", peers: this.#selection.peers, answered: scores.size };
  }

  /** What the lack of one-way delays counts for, ms; nothing when nobody is asked for them. */
  #handicap(address: string): number {
    const ladder = this.#known.get(address)?.ladder;
    const gives = ladder?.heard.timestamp !== undefined && !ladder.distrusted;
    return gives || this.#config.modes[0] !== "timestamp" ? 0 : ONE_WAY_WORTH;
  }

  #checkHealth(now: number): readonly RosterChange[] {
    if (!isCheckDue(this.#health, now)) return [];
    const seen = (known: Known): Seen => ({
      address: known.reflector.address,
      since: known.since,
      lastAnswer: known.lastAnswer,
      baseline: known.baseline?.rtt.base,
      late: known.late,
    });
    // The list may be long: of the others only the next one matters, and those of whom something is known.
    const next = this.#nextSpare(now);
    const others = this.known.filter(
      ({ reflector: { address, family } }) => !this.isPeer(address) && this.#hasWay(family, now),
    );
    const spares: Seen[] =
      next === undefined ? [] : [{ address: next, since: now }, ...others.map((known) => seen(known))];
    const deadline = Math.max(DEADLINE, 2 * this.#config.interval + 0.1);
    const done = checkHealth(this.#health, now, this.peers.map(seen), spares, deadline, this.#random);
    this.#health = done.state;
    if (!done.replace) return [];
    const { address, by } = done.replace;
    this.#replace(address, by, now);
    return [{ kind: "replaced", ...done.replace }];
  }

  #replace(address: string, by: string, now: number): void {
    this.#selection = replacePeer(this.#selection, address, by);
    this.#spares = [...this.#spares.filter((spare) => spare !== address), address];
    this.#ask(by, now);
    this.#known.get(by)!.since = now;
  }

  #hasWay(family: 4 | 6, now: number): boolean {
    return (this.#noWay.get(family) ?? -Infinity) <= now;
  }

  /** The first of the spares that is not asked and to which there is a way. */
  #nextSpare(now: number): string | undefined {
    return this.#spares.find((address) => !this.isPeer(address) && this.#hasWay(this.#pool.get(address)!.family, now));
  }

  #reachable(now: number): string[] {
    const open = [...this.#pool.values()].filter(({ family }) => this.#hasWay(family, now));
    return (open.length > 0 ? open : [...this.#pool.values()]).map(({ address }) => address);
  }

  /** Makes sure that something is known of it, the last one asked being the last to be forgotten. */
  #ask(address: string, now: number): void {
    const known = this.#known.get(address) ?? new Known(this.#pool.get(address)!, this.#config.modes, now);
    this.#known.delete(address);
    this.#known.set(address, known);
  }

  #forget(): void {
    const asked = new Set([...this.#selection.peers, ...(this.#selection.search?.candidates ?? [])]);
    for (const address of this.#known.keys()) {
      if (this.#known.size <= MOST_KNOWN) return;
      if (!asked.has(address)) this.#known.delete(address);
    }
  }
}
