/** What links leave to those that follow them when the configuration changes. Pure. */
import type { DirectionConfig, LinkConfig } from "../../autorate/config.ts";
import type { Fate } from "../../autorate/runner/link.ts";
import { both, type Both, type Direction, DIRECTIONS } from "../../core/both.ts";

const sameTarget = (a: DirectionConfig, b: DirectionConfig): boolean =>
  JSON.stringify(a.target) === JSON.stringify(b.target);

/** Whether both of them set the same thing. */
function drivesToo(config: LinkConfig, other: LinkConfig, direction: Direction): boolean {
  const [own, its] = [config.directions[direction], other.directions[direction]];
  return own !== undefined && its !== undefined && own.adjust && its.adjust && sameTarget(own, its);
}

/** What becomes of what a link drives that is gone, or is another now. */
export const fatesOf = (gone: LinkConfig, links: readonly LinkConfig[]): Both<Fate> =>
  both((d) => (links.some((link) => drivesToo(gone, link, d)) ? "kept" : "returned"));

/** A link that was stopped, with the rates that it had set, kbit/s. */
export interface Predecessor {
  readonly config: LinkConfig;
  readonly rates: Partial<Both<number>>;
}

/**
 * Rates that a link goes on from: those that its predecessor had found for the same targets. Where base is another one,
 * the line is said to be another one, and what was found for it does not count.
 */
export function carriedRates(config: LinkConfig, before: readonly Predecessor[]): Partial<Both<number>> {
  const found = DIRECTIONS.flatMap((d) => {
    const base = config.directions[d]?.bounds.base;
    const one = before.find(
      (old) => drivesToo(old.config, config, d) && old.config.directions[d]!.bounds.base === base,
    );
    const rate = one?.rates[d];
    return rate === undefined ? [] : [[d, rate] as const];
  });
  return Object.fromEntries(found);
}
