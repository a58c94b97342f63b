/**
 * Traces: a line of JSON for what a link is, then one for each tick with all that its controller was told and what it
 * decided. Any controller can be run over a trace again (replay.ts). Numbers are written as they are, to the last bit, so
 * that the same controller decides the same. Pure.
 */
import { type Both, both, DIRECTIONS } from "../../core/both.ts";
import type { Options } from "../config.ts";
import { type Bounds, type DirectionInput, PROBE_MODES, type TickInput } from "../model.ts";
import type { TickRecord } from "./tick.ts";

const SCHEMA = "sluice/autorate-trace/1";

/** The first line. */
export interface TraceHeader {
  readonly schema: typeof SCHEMA;
  readonly link: string;
  readonly controller: string;
  /** Of the controller; absent where they are not known. */
  readonly options?: Options;
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
export const headerBounds = (bounds: Both<Bounds>): TraceHeader["bounds"] => both((d) => noMaximum(bounds[d]));

/** A line of a trace, without its end. What is infinite becomes null. */
export const traceLine = (line: TraceHeader | TraceTick): string => JSON.stringify(line);

/** A tick with something measured. */
export type MeasuredTick = TraceTick & { readonly input: TickInput };

/** A link from its start on, or from where the trace begins: what its controller knew is lost between two of them. */
export interface TraceRun {
  readonly header: TraceHeader;
  /** In their order; at least one. */
  readonly ticks: readonly MeasuredTick[];
}

/** A trace that was read. */
export interface Trace {
  readonly runs: readonly TraceRun[];
  /** Lines that were none, with their numbers. */
  readonly faults: readonly { readonly line: number; readonly reason: string }[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const numbers = (value: unknown, names: readonly string[]): value is Fields =>
  isFields(value) && names.every((name) => typeof value[name] === "number");
const isList = (value: unknown, whole: (each: unknown) => boolean): boolean =>
  Array.isArray(value) && value.every((each) => whole(each));

/** JSON has no infinity, and writes null for it. */
const numberOrNone = (value: unknown): boolean => typeof value === "number" || value === null;

const wholeBounds = (value: unknown): boolean => numbers(value, ["min", "base"]) && numberOrNone(value["max"]);

const wholeSide = (value: unknown): boolean =>
  numbers(value, ["rate", "bytes", "achieved", "load"]) &&
  numberOrNone(value["threshold"]) &&
  isList(value["deltas"], (delta) => typeof delta === "number") &&
  wholeBounds(value["bounds"]);

const wholeSample = (value: unknown): boolean =>
  numbers(value, ["sent", "received", "rtt"]) &&
  typeof value["reflector"] === "string" &&
  (PROBE_MODES as readonly unknown[]).includes(value["mode"]) &&
  numbers(value["owd"], DIRECTIONS) &&
  numbers(value["delta"], DIRECTIONS);

const wholeOutstanding = (value: unknown): boolean =>
  numbers(value, ["sent"]) && typeof value["reflector"] === "string" && typeof (value["baseline"] ?? 0) === "number";

function wholeTick(value: Fields): boolean {
  const { input, rates, wall, state } = value;
  const sides = isFields(input) ? input["directions"] : undefined;
  return (
    typeof wall === "number" &&
    typeof state === "string" &&
    numbers(rates, DIRECTIONS) &&
    numbers(input, ["now", "elapsed", "tick"]) &&
    isList(input["samples"], wholeSample) &&
    isList(input["outstanding"], wholeOutstanding) &&
    isFields(sides) &&
    DIRECTIONS.every((d) => wholeSide(sides[d]))
  );
}

const wholeHeader = (value: Fields): boolean =>
  numbers(value, ["period", "highLoad", "activeRate"]) &&
  typeof value["link"] === "string" &&
  typeof value["controller"] === "string" &&
  numbers(value["start"], DIRECTIONS) &&
  isFields(value["options"] ?? {}) &&
  isFields(value["bounds"]) &&
  DIRECTIONS.every((d) => wholeBounds((value["bounds"] as Fields)[d]));

/** What JSON made null is infinite again. */
function restored(tick: MeasuredTick): MeasuredTick {
  const { input } = tick;
  const directions = both((d): DirectionInput => {
    const given = input.directions[d];
    const threshold = (given.threshold as number | null) ?? Number.POSITIVE_INFINITY;
    return { ...given, threshold, bounds: traceBounds(given.bounds) };
  });
  return { ...tick, input: { ...input, directions } };
}

/** What a line is, or what is wrong with it; `nothing` for a tick in which nothing was measured. */
function lineOf(text: string): TraceHeader | MeasuredTick | "nothing" | { readonly reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { reason: (error as Error).message };
  }
  if (!isFields(value)) return { reason: "it is no object" };
  if (value["schema"] === SCHEMA)
    return wholeHeader(value) ? (value as unknown as TraceHeader) : { reason: "something is missing in its header" };
  if (value["kind"] !== "tick") return { reason: "it is neither a header nor a tick" };
  if (value["input"] === undefined) return "nothing";
  if (!wholeTick(value)) return { reason: "something is missing in its input" };
  return restored(value as unknown as MeasuredTick);
}

/** Whether a tick goes on where a run is, though a header stands between them, as at the beginning of a file put aside. */
const goesOn = (
  run: { header: TraceHeader; ticks: MeasuredTick[] },
  header: TraceHeader,
  tick: MeasuredTick,
): boolean => tick.input.tick > run.ticks.at(-1)!.input.tick && JSON.stringify(run.header) === JSON.stringify(header);

/**
 * Reads a trace: of one run of a link or of several, as a file has that was gone on with. A line that is cut off, as after
 * a crash, costs only itself.
 *
 * @returns a reason when there is no header to go by
 */
export function readTrace(text: string): Trace | { readonly reason: string } {
  const faults: { line: number; reason: string }[] = [];
  const runs: { header: TraceHeader; ticks: MeasuredTick[] }[] = [];
  let header: TraceHeader | undefined;
  /** A header came since the last tick. */
  let fresh = false;
  let orphans = 0;
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const read = lineOf(line);
    if (read === "nothing") continue;
    if ("reason" in read) faults.push({ line: index + 1, reason: read.reason });
    else if ("schema" in read) {
      header = read;
      fresh = true;
    } else if (!header) orphans += 1;
    else {
      const run = runs.at(-1);
      if (run && (!fresh || goesOn(run, header, read))) run.ticks.push(read);
      else runs.push({ header, ticks: [read] });
      fresh = false;
    }
  }
  if (!header) return { reason: `no line has the schema "${SCHEMA}"` };
  if (orphans > 0) faults.unshift({ line: 1, reason: `${orphans} ticks stand before any header` });
  return { runs, faults };
}
