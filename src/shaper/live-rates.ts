/**
 * Rates that hold instead of planned ones while somebody drives them, such as those of a site whose radio link varies. The
 * shaper's plans honour them, so that whoever applies one, for whatever reason, keeps them. They are of this process: after
 * a restart the planned rates hold until they are set again.
 */
import type { HtbClass } from "../core/tc/class.ts";
import type { Handle } from "../core/tc/handle.ts";
import type { BitsPerSecond } from "../core/units.ts";
import { type LiveByClass, liveClasses } from "./live-classes.ts";
import type { Desired, Direction } from "./model.ts";
import type { Sites } from "./sites.ts";

/** A node's rate in one direction. */
export interface LiveRate {
  readonly name: string;
  readonly direction: Direction;
  readonly rate: BitsPerSecond;
}

/** The rates with another one for a node; without one when it is undefined. */
export function withRate(
  rates: readonly LiveRate[],
  { name, direction }: Pick<LiveRate, "name" | "direction">,
  rate: BitsPerSecond | undefined,
): readonly LiveRate[] {
  const others = rates.filter((other) => other.name !== name || other.direction !== direction);
  return rate === undefined ? others : [...others, { name, direction, rate }];
}

/** The rates by the classes of a device. Names that the tree does not have, or not only once, are left out. */
export function liveOn(device: string, sites: Sites, rates: readonly LiveRate[]): LiveByClass {
  if (sites.mode === "observe") return new Map();
  return new Map(
    rates.flatMap(({ name, direction, rate }): [Handle, BitsPerSecond][] => {
      const [place, ...others] = sites.places.get(name) ?? [];
      return place && others.length === 0 && place[direction].device === device
        ? [[place[direction].classid, rate]]
        : [];
    }),
  );
}

/** The state to reach with live rates in the place of planned ones. */
export function withLiveRates(desired: Desired, sites: Sites, rates: readonly LiveRate[]): Desired {
  if (rates.length === 0) return desired;
  const devices = desired.devices.map((device) => {
    const changed = liveClasses(sites.trees.get(device.name)!, liveOn(device.name, sites, rates));
    const live = (classid: Handle, planned: HtbClass): HtbClass => changed.get(classid) ?? planned;
    return { ...device, classes: device.classes.map((at) => ({ ...at, htb: live(at.classid, at.htb) })) };
  });
  return { ...desired, devices };
}

/** The live rates of a process, and the tree that stands in the kernel. */
export class LiveRates {
  #rates: readonly LiveRate[] = [];
  #sites: Sites | undefined;
  #holders = 0;

  /** All of them. */
  get rates(): readonly LiveRate[] {
    return this.#rates;
  }

  /** The tree in the kernel; undefined when there is none, or nobody held it when it was planned. */
  get sites(): Sites | undefined {
    return this.#sites;
  }

  /** Takes a rate, or takes it back. Whoever plans from now on goes by it. */
  set(site: Pick<LiveRate, "name" | "direction">, rate: BitsPerSecond | undefined): void {
    this.#rates = withRate(this.#rates, site, rate);
  }

  /** The rate of a node; undefined when the planned one holds. */
  rateOf(name: string, direction: Direction): BitsPerSecond | undefined {
    return this.#rates.find((rate) => rate.name === name && rate.direction === direction)?.rate;
  }

  /** The shaper tells which tree is in the kernel now; undefined: none. */
  stands(sites: Sites | undefined): void {
    this.#sites = this.#holders > 0 ? sites : undefined;
  }

  /** Somebody needs the tree until the result is disposed: some megabytes with 10,000 circuits, kept for nobody else. */
  hold(): Disposable {
    this.#holders += 1;
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (held) this.#holders -= 1;
        held = false;
      },
    };
  }
}
