/** The shaper's answers and what it is asked. */
import * as v from "valibot";
import { action, answer, count, problem, rates, summary, warnings } from "./common.ts";

const limit = v.variant("kind", [
  v.object({ kind: v.literal("own") }),
  v.object({ kind: v.literal("link") }),
  v.object({ kind: v.literal("node"), name: v.string() }),
]);

const counters = v.object({
  bytes: count,
  packets: count,
  drops: count,
  backlog: count,
  lends: count,
  borrows: count,
  leaf: v.string(),
});

const sideEntries = {
  ceilBitsPerSecond: v.number(),
  rateBitsPerSecond: v.number(),
  limitedBy: limit,
  device: v.string(),
  classid: v.string(),
  /** Null when the class is not in the kernel. */
  counters: v.nullable(counters),
};

/** One direction of a node. */
export const side = v.object({
  ...sideEntries,
  /** What it is set to instead of its ceiling, while somebody drives it. */
  liveBitsPerSecond: v.exactOptional(v.number()),
});

const circuitSide = v.object({
  planBitsPerSecond: v.number(),
  minimumBitsPerSecond: v.number(),
  ...sideEntries,
});

/** A circuit with its plan, its path and both directions. */
export const circuit = v.object({
  id: v.string(),
  name: v.string(),
  path: v.array(v.string()),
  pathCeilings: v.array(v.object({ name: v.string(), ...rates.entries })),
  devices: v.array(v.object({ id: v.string(), name: v.string(), addresses: v.array(v.string()) })),
  download: circuitSide,
  upload: circuitSide,
});

/** A circuit as JSON has it. */
export type CircuitJson = v.InferOutput<typeof circuit>;
/** One direction as JSON has it. */
export type SideJson = v.InferOutput<typeof side>;

/** A node with everything below it. */
export interface NodeJson {
  name: string;
  download: SideJson;
  upload: SideJson;
  /** Ids of the circuits on it. */
  circuits: string[];
  children: NodeJson[];
}

/** The schema of {@link NodeJson}. */
export const node: v.GenericSchema<NodeJson> = v.object({
  name: v.string(),
  download: side,
  upload: side,
  circuits: v.array(v.string()),
  children: v.array(v.lazy(() => node)),
});

/** What `check` found. */
export const check = answer("check", {
  ok: v.boolean(),
  nodes: count,
  circuits: count,
  devices: count,
  addresses: count,
  downloadBitsPerSecond: v.number(),
  uploadBitsPerSecond: v.number(),
  /** Of [autorate]. Without a [shaper] all of the other counts are 0. */
  links: count,
  /** Of the relay. */
  rules: count,
  warnings,
});

/** What would be changed. */
export const plan = answer("plan", {
  summary,
  actions: v.array(v.object({ ...action.entries, tc: v.string() })),
  warnings,
  /** What stands for this plan in If-Match. */
  tag: v.string(),
});

/** What was changed. */
export const applied = answer("apply", { summary, milliseconds: count, warnings });

/** What was removed. */
export const cleaned = answer("cleanup", { actions: v.array(action) });

/** The nodes. */
export const tree = answer("shaper-tree", {
  /** Whether the kernel holds just what the files say. */
  inStep: v.boolean(),
  nodes: v.array(node),
  /** Circuits that hang on the link itself. */
  orphans: v.array(circuit),
  circuits: v.exactOptional(v.array(circuit)),
});

/** Every circuit. */
export const circuits = answer("circuit-list", { inStep: v.boolean(), circuits: v.array(circuit) });

/** One circuit. */
export const oneCircuit = answer("circuit", { inStep: v.boolean(), circuit });

/** What LibreQoS would write for the same files. */
export const exported = answer("shaper-export", {
  lines: count,
  tc: v.string(),
  queuingStructure: v.string(),
  ipMappings: v.string(),
  warnings: v.array(problem),
});

/** What classes have sent so far, by node. */
export const counterSample = answer("shaper-counters", {
  time: v.pipe(v.string(), v.isoTimestamp()),
  nodes: v.array(
    v.object({
      name: v.string(),
      download: v.nullable(counters),
      upload: v.nullable(counters),
    }),
  ),
  circuits: v.array(v.object({ id: v.string(), download: v.nullable(counters), upload: v.nullable(counters) })),
});
