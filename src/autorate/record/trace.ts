/**
 * Traces: a line of JSON for what a link is, then one for each tick with all that its controller was told and what it
 * decided. Any controller can be run over a trace again (replay.ts). Pure.
 */
import type { Both } from "../../core/both.ts";
import type { Bounds, TickInput } from "../model.ts";
import type { TickRecord } from "./tick.ts";

/** The first line. */
export interface TraceHeader {
  readonly schema: "sluice/autorate-trace/1";
  readonly link: string;
  readonly controller: string;
  /** s */
  readonly period: number;
  /** kbit/s; a maximum of null is none. */
  readonly bounds: Both<{ readonly min: number; readonly base: number; readonly max: number | null }>;
  readonly start: Both<number>;
  readonly highLoad: number;
  readonly activeRate: number;
}

/** Any other line. */
export type TraceTick = TickRecord & { readonly kind: "tick" };

const noMaximum = (bounds: Bounds): { min: number; base: number; max: number | null } => ({
  ...bounds,
  max: Number.isFinite(bounds.max) ? bounds.max : null,
});

/** Bounds as they were: JSON has no infinity. */
export const traceBounds = ({ min, base, max }: TraceHeader["bounds"]["download"]): Bounds => ({
  min,
  base,
  max: max ?? Number.POSITIVE_INFINITY,
});

/** The bounds of a header. */
export const headerBounds = (bounds: Both<Bounds>): TraceHeader["bounds"] => ({
  download: noMaximum(bounds.download),
  upload: noMaximum(bounds.upload),
});

/** A line of a trace, without its end. */
export const traceLine = (line: TraceHeader | TraceTick): string =>
  JSON.stringify(line, (_, value: unknown) => {
    if (typeof value !== "number" || Number.isSafeInteger(value)) return value;
    // Microseconds and millionths are all that was measured.
    return Number.isFinite(value) ? Number(value.toFixed(6)) : null;
  });

/** A trace that was read. */
export interface Trace {
  readonly header: TraceHeader;
  /** In their order, those with something measured. */
  readonly ticks: readonly (TraceTick & { readonly input: TickInput })[];
  /** Lines that were none, with their numbers. */
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
}

interface Parsed {
  readonly value?: Readonly<Record<string, unknown>>;
  readonly reason?: string;
}

function parsed(text: string): Parsed {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { value: value as Readonly<Record<string, unknown>> };
    return { reason: "it is no object" };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

/** A side of a tick's input is whole when every number of it is one. */
function wholeSide(side: unknown): boolean {
  if (typeof side !== "object" || side === null) return false;
  const { deltas, bounds, ...rest } = side as Readonly<Record<string, unknown>>;
  const numbers = ["rate", "bytes", "achieved", "load"].every((key) => typeof rest[key] === "number");
  return numbers && Array.isArray(deltas) && typeof bounds === "object" && bounds !== null;
}

function wholeTick(value: Readonly<Record<string, unknown>>): boolean {
  const input = value["input"] as Readonly<Record<string, unknown>> | undefined;
  const sides = input?.["directions"] as Readonly<Record<string, unknown>> | undefined;
  return (
    typeof input?.["now"] === "number" &&
    typeof input["elapsed"] === "number" &&
    Array.isArray(input["samples"]) &&
    Array.isArray(input["outstanding"]) &&
    wholeSide(sides?.["download"]) &&
    wholeSide(sides?.["upload"])
  );
}

/** What JSON made null is infinite again. */
function restored(tick: TraceTick & { readonly input: TickInput }): TraceTick & { readonly input: TickInput } {
  const { input } = tick;
  const side = (d: "download" | "upload"): TickInput["directions"]["download"] => {
    const given = input.directions[d];
    const threshold = (given.threshold as number | null) ?? Number.POSITIVE_INFINITY;
    return { ...given, threshold, bounds: traceBounds(given.bounds) };
  };
  return { ...tick, input: { ...input, directions: { download: side("download"), upload: side("upload") } } };
}

/**
 * Reads a trace. A line that is cut off, as after a crash, costs only itself.
 *
 * @returns a reason when there is no header to go by
 */
export function readTrace(text: string): Trace | { readonly reason: string } {
  const lines = text.split("\n");
  const faults: { line: number; reason: string }[] = [];
  const ticks: (TraceTick & { readonly input: TickInput })[] = [];
  let header: TraceHeader | undefined;
  for (const [index, line] of lines.entries()) {
    if (line.trim() === "") continue;
    const { value, reason } = parsed(line);
    if (!value) faults.push({ line: index + 1, reason: reason! });
    else if (value["schema"] === "sluice/autorate-trace/1") header ??= value as unknown as TraceHeader;
    else if (value["kind"] !== "tick") faults.push({ line: index + 1, reason: "it is neither a header nor a tick" });
    else if (value["input"] === undefined) continue;
    else if (wholeTick(value)) ticks.push(restored(value as unknown as TraceTick & { readonly input: TickInput }));
    else faults.push({ line: index + 1, reason: "something is missing in its input" });
  }
  if (!header) return { reason: 'no line has the schema "sluice/autorate-trace/1"' };
  return { header, ticks, faults };
}
