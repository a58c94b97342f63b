/** A node of the shaper's tree as something with a rate. */
import { messageOf, type SluiceError, sluiceError } from "../core/errors.ts";
import { execute } from "../core/executor.ts";
import { didYouMean } from "../core/nearest.ts";
import type { RateObservation, RateTarget } from "../core/rate-target.ts";
import { sameClass } from "../core/tc/class.ts";
import { formatHandle } from "../core/tc/handle.ts";
import { type BitsPerSecond, bytes, humanRate } from "../core/units.ts";
import { ERRNO, SystemError } from "../linux/errno.ts";
import { getClass, interfaceIndex } from "../linux/netlink/get.ts";
import { NetnsSocket } from "../linux/netlink/netns-socket.ts";
import type { OwnPorts } from "../linux/netlink/ports.ts";
import type { ClassRecord } from "../linux/netlink/tc/class.ts";
import { SHAPER_ACTIONS, type ShaperAction, tcLine } from "./actions.ts";
import { ClassExecutor } from "./executors/classes.ts";
import type { LiveRates } from "./live-rates.ts";
import type { Direction } from "./model.ts";
import { planSite } from "./site-plan.ts";
import type { SitePlace, Sites } from "./sites.ts";

/** What a site is made of. */
export interface SiteOptions {
  readonly name: string;
  readonly direction: Direction;
  /** Shared with the shaper whose tree it is. */
  readonly live: LiveRates;
  /** Name or path of the network namespace of the interfaces; this process's own when left out. */
  readonly netns?: string;
  readonly ports?: OwnPorts;
  /** Runs a change when no other change of the tree is under way. */
  readonly serial: <T>(body: () => Promise<T>) => Promise<T>;
  /** Why there is no tree, as half a sentence; undefined when there should be one. */
  readonly absence?: () => string | undefined;
}

/** Where the node is, with what the kernel shows of it. */
interface Sight {
  readonly sites: Sites;
  readonly place: SitePlace;
  readonly ifindex: number;
  readonly record: ClassRecord;
}

const GONE: ReadonlySet<number> = new Set([ERRNO.ENODEV, ERRNO.ENOENT]);
/** HTB knows no less. */
const LEAST = 8;

/** The target. Disposing it leaves the live rate as it is; {@link release} takes it back. */
export class SiteTarget implements RateTarget {
  readonly #options: SiteOptions;
  readonly #socket: NetnsSocket;
  readonly #held: Disposable;
  #absence: string | undefined;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#socket = new NetnsSocket(options.netns, options.ports);
    this.#held = options.live.hold();
  }

  get label(): string {
    const place = this.#place();
    const where = typeof place === "string" ? "" : ` (${textOf(place.place)})`;
    return `site "${this.#options.name}"${where}`;
  }

  get absence(): string | undefined {
    return this.#absence;
  }

  /** Its backlog is always 0: what waits, waits in the queues of its circuits. */
  observe(): RateObservation | undefined {
    const sight = this.#look();
    if (typeof sight === "string") return undefined;
    const { at, stats } = sight.record;
    return { rate: at.htb.ceil, sent: bytes(stats.bytes), backlog: bytes(stats.backlog) };
  }

  show(rate: BitsPerSecond): readonly string[] {
    return this.#plan(this.#see(), rate).actions.flatMap((action) => tcLine(action) ?? []);
  }

  set(rate: BitsPerSecond): Promise<BitsPerSecond> {
    return this.#options.serial(async () => {
      if (!Number.isFinite(rate) || rate < LEAST) throw this.#refused(rate, "the least rate of all is 8 bit/s");
      const sight = this.#see();
      const { wish, actions } = this.#plan(sight, rate);
      const { live, name, direction } = this.#options;
      if (actions.length > 0) await this.#carryOut(sight, actions, rate);
      // From here on the shaper's plans have it, whatever is said below.
      live.set({ name, direction }, wish.ceil);
      const { at } = actions.length > 0 ? this.#see().record : sight.record;
      if (sameClass(wish, at.htb, true)) return at.htb.ceil;
      throw this.#refused(rate, `the kernel took it, and shows ${humanRate(at.htb.ceil)}`);
    });
  }

  /** Gives the planned rate back. @throws SluiceError AUTORATE_TARGET_REFUSED; the next plan of the shaper mends it then */
  release(): Promise<void> {
    return this.#options.serial(async () => {
      const { live, name, direction } = this.#options;
      const sight = this.#look();
      const { actions } = typeof sight === "string" ? { actions: [] } : this.#plan(sight, undefined);
      live.set({ name, direction }, undefined);
      if (typeof sight !== "string" && actions.length > 0) await this.#carryOut(sight, actions, undefined);
    });
  }

  [Symbol.dispose](): void {
    this.#held[Symbol.dispose]();
    this.#socket[Symbol.dispose]();
  }

  #place(): { readonly sites: Sites; readonly place: SitePlace } | string {
    const { live, name, direction, absence } = this.#options;
    const reason = absence?.();
    if (reason !== undefined) return reason;
    const { sites } = live;
    if (!sites) return "the tree is not in the kernel yet";
    if (sites.mode === "observe") return 'the shaper only observes (mode = "observe"), and limits nothing';
    const [found, ...others] = sites.places.get(name) ?? [];
    if (!found) return `the tree has no node of this name${didYouMean(name, sites.places.keys())}`;
    if (others.length > 0) return `the tree has ${1 + others.length} nodes of this name`;
    const place = found[direction];
    if (!sites.trees.get(place.device)?.get(place.classid)) return `the tree has no ${textOf(place)}`;
    return { sites, place };
  }

  #look(): Sight | string {
    const found = this.#find();
    this.#absence = typeof found === "string" ? found : undefined;
    return found;
  }

  #find(): Sight | string {
    const found = this.#place();
    if (typeof found === "string") return found;
    const socket = this.#socket.tryOpen();
    if (typeof socket === "string") return socket;
    const { device, classid } = found.place;
    const ifindex = interfaceIndex(socket, device);
    if (ifindex === undefined) {
      this.#socket.renew();
      return `there is no interface "${device}"`;
    }
    const record = getClass(socket, ifindex, classid);
    return record ? { ...found, ifindex, record } : `${textOf(found.place)} is not in the kernel`;
  }

  #see(): Sight {
    const sight = this.#look();
    if (typeof sight === "string") throw this.#missing(sight);
    return sight;
  }

  #plan({ sites, place, record }: Sight, rate: BitsPerSecond | undefined): ReturnType<typeof planSite> {
    const { live, name, direction } = this.#options;
    const input = { sites, site: { name, direction }, place, rates: live.rates, seen: record.at.htb };
    return planSite(input, rate);
  }

  async #carryOut(
    { place, ifindex }: Sight,
    actions: readonly ShaperAction[],
    rate: BitsPerSecond | undefined,
  ): Promise<void> {
    try {
      const executor = new ClassExecutor(this.#socket.open(), place.device, ifindex);
      await execute({ actions, warnings: [] }, SHAPER_ACTIONS, executor);
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof SystemError ? error.cause : error;
      if (cause instanceof SystemError && GONE.has(cause.errno)) throw this.#missing(messageOf(cause), cause);
      throw this.#refused(rate, messageOf(cause), cause);
    }
  }

  #missing(reason: string, cause?: unknown): SluiceError {
    return sluiceError("AUTORATE_TARGET_MISSING", { target: this.label, reason }, { cause });
  }

  #refused(rate: BitsPerSecond | undefined, reason: string, cause?: unknown): SluiceError {
    const shown = rate === undefined ? "its planned rate" : Number.isFinite(rate) ? humanRate(rate) : String(rate);
    return sluiceError("AUTORATE_TARGET_REFUSED", { target: this.label, rate: shown, reason }, { cause });
  }
}

const textOf = ({ device, classid }: SitePlace): string => `class ${formatHandle(classid)} of ${device}`;
