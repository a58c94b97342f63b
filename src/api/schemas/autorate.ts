/** Autorate's answers. Rates are in bit/s, delays in milliseconds, as everywhere in the API. */
import * as v from "valibot";
import { answer, count } from "./common.ts";

/** Null where there is no limit, no answer yet, or nothing known. */
const maybe = v.nullable(v.number());

const verdict = v.object({
  rateBitsPerSecond: v.number(),
  /** The branch that was taken, the controller's own word. */
  branch: v.string(),
  /** What kept it from going further. */
  blocked: v.nullable(v.string()),
  capacityBitsPerSecond: maybe,
});

const directionTick = v.object({
  /** 0 for a direction that the link does not have. */
  rateBitsPerSecond: v.number(),
  achievedBitsPerSecond: maybe,
  load: maybe,
  /** Delay over the baseline, as the third lowest of the reflectors has it. */
  deltaMs: maybe,
  thresholdMs: maybe,
  /** Null when the controller was not asked. */
  decision: v.nullable(verdict),
  written: v.boolean(),
});

/** A tick, without what it was decided by. */
export const tick = v.object({
  time: v.string(),
  state: v.picklist(["starting", "running", "idle", "stalled", "blind", "waiting"]),
  download: directionTick,
  upload: directionTick,
  notes: v.array(v.string()),
});

/** A tick as JSON has it. */
export type AutorateTickJson = v.InferOutput<typeof tick>;

const direction = v.object({
  target: v.string(),
  /** False: decided, but never written. */
  adjust: v.boolean(),
  minBitsPerSecond: v.number(),
  baseBitsPerSecond: v.number(),
  maxBitsPerSecond: maybe,
  writes: v.object({ done: count, failed: count }),
});

const reflector = v.object({
  address: v.string(),
  /** One of those that count; others are known from searches, or were replaced. */
  asked: v.boolean(),
  /** How it is asked, and why not in a better way. */
  mode: v.nullable(v.string()),
  reason: v.nullable(v.string()),
  /** Since its last answer. */
  ageMs: maybe,
  baselineMs: v.object({ download: maybe, upload: maybe, rtt: maybe }),
  deltaMs: v.object({ download: maybe, upload: maybe }),
  /** Share of its probes that were not answered. */
  loss: maybe,
  offences: count,
});

/** A link. */
export const link = v.object({
  name: v.string(),
  controller: v.string(),
  /** Loaded above this share of its rate a direction may grow; below the rate there is no traffic. */
  highLoad: v.number(),
  activeBitsPerSecond: v.number(),
  /** False when it could not be started, for the reason; it is tried again. */
  running: v.boolean(),
  reason: v.nullable(v.string()),
  last: v.nullable(tick),
  /** Null for a direction that the link does not have. */
  download: v.nullable(direction),
  upload: v.nullable(direction),
  reflectors: v.array(reflector),
  usable: v.object({ count, reason: v.nullable(v.string()) }),
  plugins: v.array(
    v.object({
      name: v.string(),
      path: v.string(),
      state: v.picklist(["running", "disabled"]),
      reason: v.nullable(v.string()),
      failures: count,
    }),
  ),
  ticks: count,
});

/** A link as JSON has it. */
export type AutorateLinkJson = v.InferOutput<typeof link>;

/** All links. */
export const links = answer("autorate", { links: v.array(link) });

/** A link with its last ticks, the oldest first. */
export const oneLink = answer("autorate-link", { link, history: v.array(tick) });

/** A tick as it happens. */
export const liveTick = answer("autorate-tick", {
  link: v.string(),
  tick,
  /** What it was decided by, as in a trace; only when it was asked for. */
  trace: v.nullable(v.record(v.string(), v.unknown())),
});
