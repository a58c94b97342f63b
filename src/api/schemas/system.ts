/** Answers about the daemon itself: status, health, events, plans, configurations, logs. */
import * as v from "valibot";
import { action, answer, count, problem, summary, time, warnings } from "./common.ts";

/** How bad something is. */
const severity = v.picklist(["error", "warning", "info"]);

/** A part of the daemon, each with a life of its own. */
const part = v.object({
  name: v.string(),
  state: v.picklist(["running", "waiting", "stopped"]),
  restarts: count,
  /** Why it ended last. */
  reason: v.exactOptional(v.string()),
});

/** Something that is wrong with the running system, declared in a table: code, severity, remedy. */
export const condition = v.object({
  code: v.string(),
  severity: v.picklist(["error", "warning"]),
  message: v.string(),
  remedy: v.string(),
  since: time,
});

/** A condition as JSON has it. */
export type ConditionJson = v.InferOutput<typeof condition>;

/** Which configuration the daemon holds the kernel to. */
const active = v.object({
  id: count,
  loadedAt: time,
  /** SHA-256 over all of its files. */
  digest: v.string(),
  /** A configuration that somebody went back to, whatever the files say now. */
  pinned: v.boolean(),
});

/** What the daemon is and does. */
export const status = answer("status", {
  version: v.string(),
  pid: count,
  startedAt: time,
  uptimeSeconds: v.number(),
  state: v.picklist(["starting", "ready", "reloading", "stopping"]),
  /** One line for people, the same that systemd shows. */
  text: v.string(),
  configuration: v.nullable(active),
  parts: v.array(part),
  health: v.object({ errors: count, warnings: count }),
  residentBytes: count,
  cpuSeconds: v.number(),
});

/** The daemon's status as JSON has it. */
export type StatusJson = v.InferOutput<typeof status>;

/** What is wrong now, and everything that could be. */
export const health = answer("health", {
  conditions: v.array(condition),
  declared: v.array(
    v.object({
      code: v.string(),
      severity: v.picklist(["error", "warning"]),
      title: v.string(),
      remedy: v.string(),
    }),
  ),
});

/** Something that happened. */
export const event = v.object({
  id: count,
  time,
  kind: v.string(),
  severity,
  message: v.string(),
  details: v.record(v.string(), v.unknown()),
});

/** An event as JSON has it. */
export type EventJson = v.InferOutput<typeof event>;

/** Events, the oldest first. */
export const events = answer("events", { events: v.array(event) });

/** One event of a stream. */
export const streamedEvent = answer("event", { event });

/** A plan that was carried out, or was to be. */
export const appliedPlan = v.object({
  id: count,
  time,
  /** Who asked for it: `reload`, `drift`, or the user of a request. */
  who: v.string(),
  domain: v.string(),
  configuration: v.nullable(count),
  summary,
  result: v.picklist(["applied", "failed"]),
  milliseconds: count,
  reason: v.exactOptional(v.string()),
});

/** A plan of the past as JSON has it. */
export type AppliedPlanJson = v.InferOutput<typeof appliedPlan>;

/** Plans of the past, the newest first. */
export const plans = answer("plans", { plans: v.array(appliedPlan) });

/** One of them, with its actions: of a large one the first. */
export const onePlan = answer("applied-plan", { plan: appliedPlan, actions: v.array(action), omitted: count });

/** How far a plan is. */
export const progress = answer("plan-progress", {
  phase: v.picklist(["begun", "going", "applied", "failed"]),
  who: v.string(),
  domain: v.string(),
  done: count,
  total: count,
});

/** How far a plan is, as JSON has it. */
export type ProgressJson = v.InferOutput<typeof progress>;

/** A configuration that was carried out. */
const storedConfiguration = v.object({
  id: count,
  loadedAt: time,
  digest: v.string(),
  who: v.string(),
  active: v.boolean(),
  files: v.array(v.object({ role: v.string(), path: v.string(), bytes: count })),
});

/** The configuration that the daemon holds the kernel to, and what is wrong with the files when that is another. */
export const configuration = answer("config", {
  configuration: v.nullable(active),
  /** Where the daemon reads it. */
  file: v.string(),
  /** Why the files were not taken, or what is worth knowing about them. */
  problems: v.array(problem),
  /** What stands for this state in If-Match. */
  tag: v.string(),
});

/** Every configuration that is kept, the newest first. */
export const history = answer("config-history", { configurations: v.array(storedConfiguration) });

/** One of them with its files. */
export const storedFiles = answer("config-files", {
  configuration: storedConfiguration,
  files: v.array(v.object({ role: v.string(), path: v.string(), text: v.string() })),
});

/** What a reload came to. */
export const reloaded = answer("reload", {
  configuration: v.nullable(active),
  /** Whether files or kernel were other than before. */
  changed: v.boolean(),
  summary,
  milliseconds: count,
  warnings,
});

/** Levels of the logs by category; the empty category is all of them. */
export const logLevels = answer("log", {
  levels: v.record(v.string(), v.picklist(["trace", "debug", "info", "warning", "error", "fatal"])),
  /** Every category that there is. */
  categories: v.array(v.string()),
});

/** The bakery. */
export const bakery = answer("bakery", {
  mode: v.picklist(["file", "execute"]),
  /** Where commands are written in file mode. */
  file: v.string(),
  waiting: count,
  bound: count,
  carriedOut: count,
  failed: count,
  /** What stands for this state in If-Match. */
  tag: v.string(),
});

/** A command was carried out, or queued when nobody waits. */
export const acknowledged = answer("bakery-answer", { answer: v.literal("Ack") });
