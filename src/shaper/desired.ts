/**
 * From the tree to kernel objects: an mq with an HTB per transmit queue (or one HTB where there is one queue), below
 * each HTB the link's root class, and below that the nodes, the circuits with their leaf, and a class for unknown hosts.
 *
 * On a stick both directions share the device: upload's queues follow download's, or both share one HTB with a root
 * class each when there is only one queue.
 */
import { type Problem, problem } from "../core/errors.ts";
import type { ClassAt } from "../core/tc/class.ts";
import { type Handle, handle, TC_ROOT } from "../core/tc/handle.ts";
import type { Qdisc, QdiscAt } from "../core/tc/qdisc.ts";
import type { BitsPerSecond } from "../core/units.ts";
import { type Allocation, keyOf } from "./allocation.ts";
import { both } from "../core/both.ts";
import { type Leaf, type LeafBase, lacking, leafFor } from "./leaf.ts";
import {
  type Circuit,
  type ClassifierConfig,
  type Desired,
  type DesiredDevice,
  type Direction,
  DIRECTIONS,
  type Facts,
  type HostEntry,
  type ShaperConfig,
  type Target,
} from "./model.ts";
import {
  DEFAULT_MINOR,
  defaultLeafMajor,
  HTB_MARK,
  htbMajor,
  MAX_QUEUES,
  MQ_NUMBER,
  ROOT_MINOR,
  UPLOAD_BIT,
} from "./numbers.ts";
import { circuitClass, nodeClass, PRIO, UNLIMITED } from "./rates.ts";
import type { Tree, TreeCircuit, TreeNode } from "./tree.ts";

/** Where one direction's classes stand. */
export interface Side {
  readonly direction: Direction;
  readonly device: string;
  /** Index of its first transmit queue on the device. */
  readonly firstQueue: number;
  readonly queues: number;
  /** Set on the numbers of this side. */
  readonly bit: number;
  /** Minors of the root and default classes. */
  readonly root: number;
  readonly fallback: number;
  /** Whether the device has one HTB as its root instead of an mq. */
  readonly single: boolean;
}

const limitQueues = (config: ShaperConfig, ...available: number[]): number =>
  Math.max(1, Math.min(MAX_QUEUES, config.queues ?? Number.POSITIVE_INFINITY, ...available));

/** Lays the two directions out on the devices. Both get the same number of queues. */
export function sidesOf(config: ShaperConfig, facts: Pick<Facts, "devices">): { queues: number; sides: Side[] } {
  const { link } = config;
  const queuesOf = (name: string): number => facts.devices.get(name)?.txQueues ?? 1;
  const base = { root: ROOT_MINOR, fallback: DEFAULT_MINOR, bit: 0, firstQueue: 0 };
  if (link.kind === "bridge") {
    const queues = limitQueues(config, queuesOf(link.lan), queuesOf(link.internet));
    const side = (direction: Direction, device: string): Side => ({
      ...base,
      direction,
      device,
      queues,
      single: queuesOf(device) === 1 || queues === 1,
    });
    return { queues, sides: [side("download", link.lan), side("upload", link.internet)] };
  }
  const device = link.interface;
  const available = queuesOf(device);
  const queues = limitQueues(config, Math.floor(available / 2));
  const single = available < 2;
  const download: Side = { ...base, direction: "download", device, queues, single };
  const upload: Side = { ...download, direction: "upload", bit: UPLOAD_BIT, firstQueue: single ? 0 : queues };
  if (!single) return { queues, sides: [download, upload] };
  return {
    queues,
    sides: [download, { ...upload, root: ROOT_MINOR | UPLOAD_BIT, fallback: DEFAULT_MINOR | UPLOAD_BIT }],
  };
}

const majorAt = (side: Side, queue: number): number => htbMajor(side.firstQueue + queue);

/** The class that holds a slot's packets in one direction. */
export function classidOf(side: Side, slot: { readonly queue: number; readonly number: number }): Handle {
  return handle(majorAt(side, slot.queue), slot.number | side.bit);
}

/** What {@link buildDesired} makes kernel objects of. */
export interface DesiredInput {
  readonly config: ShaperConfig;
  readonly facts: Facts;
  readonly tree: Tree;
  readonly allocation: Allocation;
  readonly leaf: LeafBase;
}

/** Collects one side's objects. */
class SideBuilder {
  readonly classes: ClassAt[] = [];
  readonly leaves: QdiscAt[] = [];
  readonly #input: DesiredInput;
  readonly #side: Side;
  readonly #mtu: number;

  constructor(input: DesiredInput, side: Side) {
    this.#input = input;
    this.#side = side;
    this.#mtu = input.facts.devices.get(side.device)?.mtu ?? 1500;
  }

  /** Root and default class of every queue, then the tree. */
  build(): this {
    const { tree, config } = this.#input;
    const { direction, root, fallback, firstQueue } = this.#side;
    const { rate, ceil } = tree.unknown[direction];
    for (let queue = 0; queue < this.#side.queues; queue += 1) {
      const top = handle(majorAt(this.#side, queue), root);
      const link = config.rate[direction];
      this.#addInner(top, handle(majorAt(this.#side, queue)), this.#built(link), link);
      const classid = handle(majorAt(this.#side, queue), fallback);
      this.#addOuter(classid, top, rate, ceil, PRIO.unknown);
      const index = fallback === DEFAULT_MINOR ? firstQueue + queue : 1;
      this.#addLeaf(
        classid,
        defaultLeafMajor(index),
        leafFor(this.#input.leaf, undefined, ceil, config, this.#input.facts.leafKinds),
      );
    }
    for (const node of tree.nodes) this.#addNode(node);
    for (const orphan of tree.orphans) this.#addCircuit(orphan);
    return this;
  }

  /** The ceiling that is built: in observe mode nothing is limited. */
  #built(rate: BitsPerSecond): BitsPerSecond {
    return this.#input.config.mode === "observe" ? UNLIMITED : rate;
  }

  #addInner(classid: Handle, parent: Handle, rate: BitsPerSecond, ceil: BitsPerSecond): void {
    this.classes.push({ classid, parent, htb: nodeClass(rate, this.#built(ceil), this.#mtu) });
  }

  #addOuter(classid: Handle, parent: Handle, rate: BitsPerSecond, ceil: BitsPerSecond, prio: number): void {
    this.classes.push({ classid, parent, htb: circuitClass(rate, this.#built(ceil), prio, this.#mtu) });
  }

  #addLeaf(parent: Handle, number: number, leaf: Leaf): void {
    if (leaf === "none" || this.#input.config.mode === "observe") return;
    this.leaves.push({ handle: handle(number), parent, qdisc: leaf });
  }

  #place(key: string): { classid: Handle; parent: Handle; number: number } {
    const side = this.#side;
    const slot = this.#input.allocation.get(key)!;
    const parent = handle(majorAt(side, slot.queue), slot.parent === 0 ? side.root : slot.parent | side.bit);
    return { classid: classidOf(side, slot), parent, number: slot.number | side.bit };
  }

  #addNode(node: TreeNode): void {
    const d = this.#side.direction;
    const { classid, parent } = this.#place(keyOf.node(node.name));
    this.#addInner(classid, parent, node.rate[d], node.ceil[d]);
    for (const circuit of node.circuits) this.#addCircuit(circuit);
    for (const child of node.children) this.#addNode(child);
  }

  #addCircuit({ circuit, rate, ceil }: TreeCircuit): void {
    const d = this.#side.direction;
    const { classid, parent, number } = this.#place(keyOf.circuit(circuit.id));
    this.#addOuter(classid, parent, rate[d], ceil[d], PRIO.circuit);
    const { leaf, config, facts } = this.#input;
    this.#addLeaf(classid, number, leafFor(leaf, circuit.leaf[d], ceil[d], config, facts.leafKinds));
  }
}

function rootQdiscs(sides: readonly Side[]): QdiscAt[] {
  const htb: Qdisc = { kind: "htb", default: DEFAULT_MINOR, r2q: HTB_MARK };
  if (sides[0]!.single) return [{ handle: handle(htbMajor(0)), parent: TC_ROOT, qdisc: htb }];
  const root = handle(MQ_NUMBER);
  const queues = Math.max(...sides.map((side) => side.firstQueue + side.queues));
  const perQueue = Array.from({ length: queues }, (_, queue) => ({
    handle: handle(htbMajor(queue)),
    parent: handle(MQ_NUMBER, queue + 1),
    qdisc: htb,
  }));
  return [{ handle: root, parent: TC_ROOT, qdisc: { kind: "mq" } }, ...perQueue];
}

/** The transmit queue that packets are told to take: none where the device has only one. */
const txQueue = (side: Side, queue: number): number => (side.single ? 0 : side.firstQueue + queue + 1);

function classifierOf(config: ShaperConfig, sides: readonly Side[], device: string): ClassifierConfig {
  const { link } = config;
  const unknown = both((d) => {
    const side = sides.find((s) => s.direction === d)!;
    if (side.device !== device) return { firstQueue: 0, queues: 1, classid: handle(0) };
    const explicit = side.single && side.fallback !== DEFAULT_MINOR;
    return {
      firstQueue: txQueue(side, 0),
      // A cap for all unknown hosts together can only be held in one place.
      queues: config.unknownRate ? 1 : side.queues,
      classid: explicit ? handle(majorAt(side, 0), side.fallback) : handle(0),
    };
  });
  if (link.kind === "stick") return { side: "vlan", lanVlan: link.lanVlan, internetVlan: link.internetVlan, unknown };
  return { side: device === link.lan ? "download" : "upload", lanVlan: 0, internetVlan: 0, unknown };
}

function hostsOf(circuits: readonly Circuit[], allocation: Allocation, sides: readonly Side[]): Map<string, HostEntry> {
  const hosts = new Map<string, HostEntry>();
  for (const circuit of circuits) {
    const slot = allocation.get(keyOf.circuit(circuit.id))!;
    const target = both((d): Target => {
      const side = sides.find((s) => s.direction === d)!;
      return { classid: classidOf(side, slot), queue: txQueue(side, slot.queue) };
    });
    for (const { prefixes } of circuit.devices) {
      for (const prefix of prefixes) hosts.set(prefix.key, { prefix, target });
    }
  }
  return hosts;
}

function circuitsOf(tree: Tree): TreeCircuit[] {
  const below = (node: TreeNode): TreeCircuit[] => [
    ...node.circuits,
    ...node.children.flatMap((child) => below(child)),
  ];
  return [...tree.nodes.flatMap((node) => below(node)), ...tree.orphans];
}

/** The errors that explicit wishes for leaves make on a kernel without them: one per kind. */
function missingLeaves(circuits: readonly TreeCircuit[], facts: Facts): Problem[] {
  const wished = new Set(circuits.flatMap(({ circuit }) => DIRECTIONS.map((d) => circuit.leaf[d])));
  return (["cake", "fq_codel"] as const)
    .filter((kind) => wished.has(kind))
    .flatMap((kind) => lacking(kind, facts.leafKinds));
}

/** Builds the state to reach, device by device. */
export function buildDesired(input: DesiredInput): { desired: Desired; problems: Problem[] } {
  const { config, facts, tree, allocation } = input;
  const { sides, queues } = sidesOf(config, facts);
  const circuits = circuitsOf(tree);
  const problems = missingLeaves(circuits, facts);
  const names = [...new Set(sides.map((side) => side.device))];
  const devices = names.map((name): DesiredDevice => {
    const here = sides.filter((side) => side.device === name);
    const built = here.map((side) => new SideBuilder(input, side).build());
    const qdiscs = [...rootQdiscs(here), ...built.flatMap((side) => side.leaves)];
    return {
      name,
      qdiscs,
      classes: built.flatMap((side) => side.classes),
      classifier: classifierOf(config, sides, name),
    };
  });
  for (const side of sides) {
    const planned = [...tree.nodes, ...tree.orphans].reduce((sum, part) => sum + part.ceil[side.direction], 0);
    if (queues > 1 && config.mode === "shape" && planned > config.rate[side.direction]) {
      const rate = `${config.rate[side.direction] / 1e6} Mbit/s`;
      problems.push(problem("SHAPER_LINK_PER_QUEUE", { device: side.device, direction: side.direction, rate, queues }));
    }
  }
  return {
    desired: {
      devices,
      hosts: hostsOf(
        circuits.map((c) => c.circuit),
        allocation,
        sides,
      ),
    },
    problems,
  };
}
