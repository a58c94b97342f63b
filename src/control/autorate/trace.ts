/** Traces made out of what the API streams. */
import type { AutorateLinkJson } from "../../api/schemas/autorate.ts";
import { headerBounds, traceLine } from "../../autorate/record/trace.ts";
import { type Bounds, NO_BOUNDS } from "../../autorate/model.ts";
import { both, type Both, type Direction } from "../../core/both.ts";

/** The first line of a trace that begins with this tick. */
export function headerOf(link: AutorateLinkJson, record: Readonly<Record<string, unknown>>): string {
  const bounds = both((d: Direction): Bounds => {
    const side = link[d];
    if (!side) return NO_BOUNDS;
    const max = side.maxBitsPerSecond === null ? Number.POSITIVE_INFINITY : side.maxBitsPerSecond / 1000;
    return { min: side.minBitsPerSecond / 1000, base: side.baseBitsPerSecond / 1000, max };
  });
  const { elapsed } = (record["input"] ?? { elapsed: 0 }) as { readonly elapsed: number };
  return traceLine({
    schema: "sluice/autorate-trace/1",
    link: link.name,
    controller: link.controller,
    period: elapsed,
    bounds: headerBounds(bounds),
    start: record["rates"] as Both<number>,
    highLoad: link.highLoad,
    activeRate: link.activeBitsPerSecond / 1000,
  });
}
