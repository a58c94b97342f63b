/** ISPs for tests: a terse way to write one down, and generators of random ones and random edits. */
import fc from "fast-check";
import { parsePrefix, type Prefix } from "../../src/core/prefix.ts";
import { bitsPerSecond, bytes, megabits } from "../../src/core/units.ts";
import type { Circuit, DeviceFacts, Facts, Isp, LeafKind, NetworkNode, ShaperConfig } from "../../src/shaper/model.ts";

const where = { file: "test" };

/** A node: rates in Mbit/s, both directions alike unless `up` is given. */
export function node(
  name: string,
  mbit: number,
  children: NetworkNode[] = [],
  options: { up?: number; min?: number } = {},
): NetworkNode {
  const min = megabits(options.min ?? 0);
  return {
    name,
    max: { download: megabits(mbit), upload: megabits(options.up ?? mbit) },
    min: { download: min, upload: min },
    children,
    where,
  };
}

/** Parses prefixes that are known to be good. */
export function prefixes(...texts: string[]): Prefix[] {
  return texts.map((text) => {
    const parsed = parsePrefix(text);
    if (typeof parsed === "string") throw new TypeError(`${text}: ${parsed}`);
    return parsed;
  });
}

/** A circuit with one device: rates in Mbit/s. */
export function circuit(
  id: string,
  parent: string | undefined,
  mbit: number,
  options: { up?: number; min?: number; address?: string; leaf?: Circuit["leaf"] } = {},
): Circuit {
  const min = megabits(options.min ?? 0);
  return {
    id,
    name: id,
    ...(parent !== undefined && { parent }),
    max: { download: megabits(mbit), upload: megabits(options.up ?? mbit) },
    min: { download: min, upload: min },
    leaf: options.leaf ?? {},
    devices: [
      {
        id: `${id}-d`,
        name: id,
        mac: "",
        comment: "",
        prefixes: options.address ? prefixes(options.address) : [],
        where,
      },
    ],
    where,
  };
}

/** A configuration of 1 Gbit/s over lan0 and wan0. */
export function config(overrides: Partial<ShaperConfig> = {}): ShaperConfig {
  return {
    network: "/network.json",
    devices: "/ShapedDevices.csv",
    dialect: "sluice",
    link: { kind: "bridge", lan: "lan0", internet: "wan0" },
    rate: { download: megabits(1000), upload: megabits(1000) },
    mode: "shape",
    leaf: { kind: "fifo" },
    fastRate: bitsPerSecond(1e9),
    minimums: "strict",
    ...overrides,
  };
}

/** Facts of a machine on which all devices have this many queues. */
export function facts(txQueues: number, kinds: readonly LeafKind[] = ["cake", "fq_codel", "bfifo"]): Facts {
  const device: DeviceFacts = { txQueues, mtu: 1500 };
  const devices = new Map(["lan0", "wan0", "stick0"].map((name) => [name, device]));
  return { devices, leafKinds: new Set(kinds), memory: bytes(2 ** 40) };
}

// ---- Random ISPs --------------------------------------------------------------------------------------------------

interface Sketch {
  /** Per node: its parent's index or -1, Mbit/s, and a minimum in percent of that. */
  readonly nodes: readonly { readonly up: number; readonly mbit: number; readonly min: number }[];
  readonly circuits: readonly { readonly at: number; readonly mbit: number; readonly min: number }[];
}

/** Identities that survive edits: an entry keeps its number when others come and go. */
export interface World {
  readonly nodes: ReadonlyMap<number, { readonly parent: number; readonly mbit: number; readonly min: number }>;
  readonly circuits: ReadonlyMap<number, { readonly parent: number; readonly mbit: number; readonly min: number }>;
}

const rate = fc.oneof(
  fc.integer({ min: 1, max: 400 }),
  fc.double({ min: 0.1, max: 50, noNaN: true, noDefaultInfinity: true }),
);
const sketch: fc.Arbitrary<Sketch> = fc.record({
  nodes: fc.array(
    fc.record({ up: fc.integer({ min: -1, max: 30 }), mbit: rate, min: fc.integer({ min: 0, max: 30 }) }),
    { maxLength: 12 },
  ),
  circuits: fc.array(
    fc.record({ at: fc.integer({ min: -1, max: 30 }), mbit: rate, min: fc.integer({ min: 0, max: 100 }) }),
    { maxLength: 20 },
  ),
});

/** Random ISPs; node parents always come before their children. */
export const world: fc.Arbitrary<World> = sketch.map(({ nodes, circuits }) => ({
  nodes: new Map(nodes.map((n, i) => [i, { parent: i === 0 || n.up < 0 ? -1 : n.up % i, mbit: n.mbit, min: n.min }])),
  circuits: new Map(
    circuits.map((c, i) => [
      i,
      { parent: nodes.length === 0 || c.at < 0 ? -1 : c.at % nodes.length, mbit: c.mbit, min: c.min },
    ]),
  ),
}));

/** One edit of a world. */
export type Edit =
  | { readonly kind: "rate"; readonly pick: number; readonly mbit: number }
  | { readonly kind: "nodeRate"; readonly pick: number; readonly mbit: number }
  | { readonly kind: "remove"; readonly pick: number }
  | { readonly kind: "add"; readonly pick: number; readonly mbit: number }
  | { readonly kind: "move"; readonly pick: number; readonly to: number }
  | { readonly kind: "removeNode"; readonly pick: number };

const pick = fc.nat({ max: 1000 });
/** Random edits. */
export const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant("rate" as const), pick, mbit: rate }),
  fc.record({ kind: fc.constant("nodeRate" as const), pick, mbit: rate }),
  fc.record({ kind: fc.constant("remove" as const), pick }),
  fc.record({ kind: fc.constant("add" as const), pick, mbit: rate }),
  fc.record({ kind: fc.constant("move" as const), pick, to: pick }),
  fc.record({ kind: fc.constant("removeNode" as const), pick }),
);

const nth = (map: ReadonlyMap<number, unknown>, index: number): number | undefined =>
  [...map.keys()][index % Math.max(1, map.size)];

/** The world after an edit; an edit of something that is not there does nothing. */
export function applyEdit(w: World, e: Edit): World {
  const nodes = new Map(w.nodes);
  const circuits = new Map(w.circuits);
  const id = nth(circuits, e.pick);
  const nodeId = nth(nodes, e.pick);
  switch (e.kind) {
    case "rate":
      if (id !== undefined) circuits.set(id, { ...circuits.get(id)!, mbit: e.mbit });
      break;
    case "nodeRate":
      if (nodeId !== undefined) nodes.set(nodeId, { ...nodes.get(nodeId)!, mbit: e.mbit });
      break;
    case "remove":
      if (id !== undefined) circuits.delete(id);
      break;
    case "add":
      circuits.set(Math.max(-1, ...circuits.keys()) + 1, { parent: nodeId ?? -1, mbit: e.mbit, min: 10 });
      break;
    case "move":
      if (id !== undefined) circuits.set(id, { ...circuits.get(id)!, parent: nth(nodes, e.to) ?? -1 });
      break;
    case "removeNode":
      if (nodeId === undefined) break;
      for (const [key, n] of nodes)
        if (n.parent === nodeId) nodes.set(key, { ...n, parent: nodes.get(nodeId)!.parent });
      for (const [key, c] of circuits) if (c.parent === nodeId) circuits.set(key, { ...c, parent: -1 });
      nodes.delete(nodeId);
  }
  return { nodes, circuits };
}

/** The files that describe a world. */
export function ispOf(w: World): Isp {
  const childrenOf = (parent: number): NetworkNode[] =>
    [...w.nodes]
      .filter(([, n]) => n.parent === parent)
      .map(([id, n]) => node(`node-${id}`, n.mbit, childrenOf(id), { min: (n.mbit * n.min) / 100 }));
  const circuits = [...w.circuits].map(([id, c]) =>
    circuit(`circuit-${id}`, c.parent < 0 ? undefined : `node-${c.parent}`, c.mbit, {
      min: (c.mbit * c.min) / 100,
      address: `100.64.${id >> 8}.${id & 255}`,
    }),
  );
  return { nodes: childrenOf(-1), circuits };
}
