/** The relay's answers and what it is asked. */
import * as v from "valibot";
import { answer, count, device, warnings, word } from "./common.ts";

/** As many as there are counters for, if each had one output. */
const MOST_RULES = 32_768;

const engine = v.picklist(["auto", "kernel", "user"]);
const trafficClass = v.picklist(["high", "normal", "low"]);
const port = v.pipe(count, v.maxValue(65_535));

/** A rule as it is added: what is left out has the same default as in the configuration. */
export const newRule = v.strictObject({
  /** Made of the input when left out; a rule that has it already is replaced. */
  id: v.exactOptional(word(64)),
  name: v.exactOptional(word(64)),
  interface: device,
  group: word(64),
  /** 0: any. */
  port,
  source: v.exactOptional(word(64)),
  vlan: v.exactOptional(v.pipe(count, v.minValue(1), v.maxValue(4094))),
  outputs: v.pipe(
    v.array(
      v.strictObject({
        interface: device,
        group: v.exactOptional(word(64)),
        port: v.exactOptional(port),
        ttl: v.exactOptional(v.pipe(count, v.maxValue(255))),
        dscp: v.exactOptional(v.pipe(count, v.maxValue(63))),
        /** `rewrite`, `preserve`, or an address. */
        source: v.exactOptional(word(64)),
      }),
    ),
    v.minLength(1),
    v.maxLength(1024),
  ),
  engine: v.exactOptional(engine),
  class: v.exactOptional(trafficClass),
  maxBitsPerSecond: v.exactOptional(v.pipe(count, v.minValue(1))),
  maxPacketsPerSecond: v.exactOptional(v.pipe(count, v.minValue(1))),
});

/** A rule as it is added. */
export type NewRuleJson = v.InferOutput<typeof newRule>;

/** Since the rule was first there. Bytes are those of UDP payloads. */
const counters = v.object({
  packets: count,
  bytes: count,
  sendErrors: count,
  tooLarge: count,
  capped: count,
  shed: count,
});

const output = v.object({
  interface: v.string(),
  group: v.string(),
  port,
  ttl: count,
  dscp: v.nullable(count),
  source: v.string(),
  /** Why nothing can be sent by it now. */
  reason: v.nullable(v.string()),
  counters,
});

/** A rule with what becomes of it. */
export const rule = v.object({
  id: v.string(),
  name: v.nullable(v.string()),
  origin: v.picklist(["static", "dynamic"]),
  interface: v.string(),
  group: v.string(),
  port,
  source: v.nullable(v.string()),
  vlan: v.nullable(count),
  engine,
  class: trafficClass,
  maxBitsPerSecond: v.nullable(count),
  maxPacketsPerSecond: v.nullable(count),
  state: v.picklist(["active", "pending", "paused", "idle"]),
  /** Why it is not active. */
  reason: v.nullable(v.string()),
  /** Who carries it out; null while nobody does. */
  carriedBy: v.nullable(v.picklist(["kernel", "user"])),
  /** Why the kernel does not. */
  kernelReason: v.nullable(v.string()),
  /** Whether its group is joined; null where there is none to join. */
  joined: v.nullable(v.boolean()),
  counters,
  packetsPerSecond: v.number(),
  bitsPerSecond: v.number(),
  outputs: v.array(output),
});

/** A rule as JSON has it. */
export type RelayRuleJson = v.InferOutput<typeof rule>;

/** All rules. */
export const rules = answer("relay-rules", { rules: v.array(rule) });
/** One of them. */
export const oneRule = answer("relay-rule", { rule });
/** A rule that was added. */
export const added = answer("relay-added", {
  rule,
  /** There was one with its id. */
  replaced: v.boolean(),
  warnings,
});
/** Rules that shall be there. */
export const wanted = v.strictObject({
  rules: v.pipe(v.array(newRule), v.maxLength(MOST_RULES)),
  /** Whether added ones that are not among them are removed. */
  replace: v.exactOptional(v.boolean(), false),
});
/** How many rules were changed, and what is to be thought of them. */
export const loaded = answer("relay-load", { added: count, replaced: count, removed: count, kept: count, warnings });
/** A rule that was removed. */
export const removed = answer("relay-removed", { id: v.string() });

const relayInterface = v.object({
  interface: v.string(),
  /** Packets of the interface that no rule took, or that were not right, by reason. */
  passedOver: v.record(v.string(), count),
  /** What the kernel gave to the workers, and what it had to drop because their rings were full. */
  ring: v.object({ packets: count, drops: count, freezes: count }),
});

/** What went through, by rule and by interface. */
export const stats = answer("relay-stats", { rules: v.array(rule), interfaces: v.array(relayInterface) });

/** Interfaces as JSON has them. */
export type RelayInterfaceJson = v.InferOutput<typeof relayInterface>;

const worker = v.object({
  interface: v.string(),
  index: count,
  pid: v.nullable(count),
  state: v.picklist(["starting", "running", "restarting", "stopping"]),
  /** What it last failed with. */
  reason: v.nullable(v.string()),
  restarts: count,
  /** Until it is started again, ms. */
  backoffMs: v.nullable(count),
  cpus: v.array(count),
  rules: count,
});

/** A worker as JSON has it. */
export type RelayWorkerJson = v.InferOutput<typeof worker>;

/** The processes that copy packets. */
export const workers = answer("relay-workers", { workers: v.array(worker) });

/** The last packets of a rule. */
export const traced = answer("relay-trace", {
  id: v.string(),
  packets: v.array(
    v.object({
      time: v.string(),
      source: v.string(),
      destination: v.string(),
      bytes: count,
      /** What became of it. */
      outcome: v.string(),
    }),
  ),
});

/** Why packets of a group arrive, or do not: the first finding is the likeliest cause. */
export const why = answer("relay-why", {
  findings: v.array(
    v.object({
      code: v.string(),
      severity: v.picklist(["error", "warning", "info"]),
      text: v.string(),
      remedy: v.string(),
    }),
  ),
});
