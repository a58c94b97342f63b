/** One direction of a link: what is set, and within which bounds. */
import type { Direction } from "../../core/both.ts";
import { humanRate } from "../../core/units.ts";
import type { DirectionConfig, TargetSpec } from "../config.ts";
import type { Bounds } from "../model.ts";
import { directedKey } from "./key.ts";
import { DIRECTION_KEYS } from "./keys.ts";
import type { LinkTable } from "./link-table.ts";

/** Share of the base rate, %. */
const USUAL_MINIMUM = 20;
const HIGH_MINIMUM = 60;
/** Below these a line is hardly usable, kbit/s; those of sqm-autorate-rust. */
const LOW_MINIMUM: Readonly<Record<Direction, number>> = { download: 1000, upload: 500 };
const LOW_BASE = 100;

const shown = (kbit: number): string => humanRate(kbit * 1000);

/** The rows for a direction. */
const keysOf = (direction: Direction) => ({
  interface: directedKey(DIRECTION_KEYS.interface, direction),
  target: directedKey(DIRECTION_KEYS.target, direction),
  base: directedKey(DIRECTION_KEYS.base, direction),
  min: directedKey(DIRECTION_KEYS.min, direction),
  minPercent: directedKey(DIRECTION_KEYS.minPercent, direction),
  max: directedKey(DIRECTION_KEYS.max, direction),
  adjust: { ...directedKey<boolean>(DIRECTION_KEYS.adjust, direction), default: DIRECTION_KEYS.adjust.default },
  delay: { ...directedKey<number>(DIRECTION_KEYS.delay, direction), default: DIRECTION_KEYS.delay.default },
});
type DirectionKeys = ReturnType<typeof keysOf>;

/** Whether the table says anything of what is set in this direction. */
const hasTarget = (link: LinkTable, keys: DirectionKeys): boolean => link.has(keys.interface) || link.has(keys.target);

function readTarget(link: LinkTable, keys: DirectionKeys, site: string | undefined): TargetSpec | undefined {
  const device = link.has(keys.interface) ? link.said(keys.interface) : undefined;
  const target = link.has(keys.target) ? link.said(keys.target) : undefined;
  if (link.has(keys.interface) && link.has(keys.target))
    return link.refuse(keys.target, `${keys.interface.name} is there too, and only one of them can be`);
  if (site !== undefined) return { kind: "site", name: site };
  return target ?? (device === undefined ? undefined : { kind: "auto", device });
}

function readMinimum(link: LinkTable, keys: DirectionKeys, base: number): number | undefined {
  if (link.has(keys.min) && link.has(keys.minPercent))
    return link.refuse(keys.minPercent, `${keys.min.name} is there too, and only one of them can be`);
  if (link.has(keys.min)) return link.said(keys.min);
  const percent = link.said(keys.minPercent) ?? USUAL_MINIMUM;
  const min = Math.floor((base * percent) / 100);
  if (min >= 1) return min;
  return link.refuse(keys.base, `${percent} % of it, the minimum, is less than 1 kbit/s`);
}

function readBounds(link: LinkTable, keys: DirectionKeys): Bounds | undefined {
  const base = link.table.required(keys.base.name, keys.base.type.read);
  const max = link.has(keys.max) ? link.said(keys.max) : Infinity;
  if (base === undefined) return undefined;
  const min = readMinimum(link, keys, base);
  if (min === undefined || max === undefined) return undefined;
  if (min > base) link.refuse(keys.min, `it is ${shown(min)}, above ${keys.base.name} with ${shown(base)}`);
  if (max < base) link.refuse(keys.max, `it is ${shown(max)}, below ${keys.base.name} with ${shown(base)}`);
  return { min, base, max };
}

/** What is no error, and most likely not meant. */
function warnBounds(link: LinkTable, keys: DirectionKeys, direction: Direction, { min, base }: Bounds): void {
  const key = link.has(keys.min) ? keys.min : keys.minPercent;
  const percent = (100 * min) / base;
  if (percent > HIGH_MINIMUM && percent <= 100)
    link.warn("AUTORATE_MINIMUM_HIGH", key, { percent: Number(percent.toFixed(1)) });
  if (base < LOW_BASE) return link.warn("AUTORATE_BASE_LOW", keys.base, { rate: shown(base) });
  const low = LOW_MINIMUM[direction];
  if (min < low) link.warn("AUTORATE_MINIMUM_LOW", key, { rate: shown(min), wanted: shown(low) });
  return undefined;
}

/** The keys that make no sense without something to set. */
function refuseStrays(link: LinkTable, keys: DirectionKeys): undefined {
  for (const key of [keys.base, keys.min, keys.minPercent, keys.max, keys.adjust, keys.delay]) {
    if (link.has(key))
      link.refuse(key, `there is no ${keys.interface.name} beside it, so this direction is not there at all`);
  }
  return undefined;
}

/** Whether the link names an interface for this direction, as a key of its own. */
export const namesTarget = (link: LinkTable, direction: Direction): boolean => hasTarget(link, keysOf(direction));

/** Reads a direction; undefined when it is not there, or cannot be used (then noted). */
export function readDirection(
  link: LinkTable,
  direction: Direction,
  site: string | undefined,
): DirectionConfig | undefined {
  const keys = keysOf(direction);
  if (!hasTarget(link, keys) && site === undefined) return refuseStrays(link, keys);
  const target = readTarget(link, keys, site);
  const bounds = readBounds(link, keys);
  const threshold = link.value(keys.delay);
  const adjust = link.value(keys.adjust);
  if (bounds) warnBounds(link, keys, direction, bounds);
  return target && bounds ? { target, bounds, threshold, adjust } : undefined;
}
