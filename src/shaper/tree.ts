/**
 * The tree as it can really be: who may send how much, what is guaranteed to whom, and which node limits whom. Built
 * from the files alone; nothing here knows of queues, ids or kernels.
 */
import { type Problem, problem } from "../core/errors.ts";
import { type BitsPerSecond, bitsPerSecond, humanRate, wholeBytesRate } from "../core/units.ts";
import { both } from "../core/both.ts";
import { type Branch, flatten } from "./flatten.ts";
import { type Claim, grantMinimums, RATE_FLOOR } from "./minimums.ts";
import {
  type Both,
  type Circuit,
  type Direction,
  DIRECTIONS,
  type Isp,
  type NetworkNode,
  type ShaperConfig,
} from "./model.ts";

/** Whose rate a ceiling is: the thing's own, that of a node above it, or the link's. */
export type Limit =
  | { readonly kind: "own" }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "link" };

const OWN: Limit = { kind: "own" };

/** What nodes and circuits have in common. */
interface Rated {
  /** What it may send at most: its own rate and those of everything above it. */
  readonly ceil: Both<BitsPerSecond>;
  /** What it is guaranteed (see minimums.ts). */
  readonly rate: Both<BitsPerSecond>;
  readonly limit: Both<Limit>;
}

/** A node of the tree. */
export interface TreeNode extends Rated {
  readonly name: string;
  readonly source: NetworkNode;
  readonly children: readonly TreeNode[];
  readonly circuits: readonly TreeCircuit[];
}

/** A circuit of the tree. */
export interface TreeCircuit extends Rated {
  readonly circuit: Circuit;
}

/** The whole tree below the link. */
export interface Tree {
  readonly nodes: readonly TreeNode[];
  /** Circuits that hang on the link itself. */
  readonly orphans: readonly TreeCircuit[];
  /** What the default class for unknown hosts is guaranteed and may send. */
  readonly unknown: Both<{ readonly rate: BitsPerSecond; readonly ceil: BitsPerSecond }>;
}

/** The share of the link that is kept for unknown hosts and control traffic (ARP, routing): 1 %. */
const UNKNOWN_SHARE = 0.01;

interface Draft {
  readonly name: string;
  readonly node?: NetworkNode;
  readonly circuit?: Circuit;
  readonly ceil: Both<BitsPerSecond>;
  readonly limit: Both<Limit>;
  readonly children: readonly Draft[];
}

function branchesOf(isp: Isp): { top: Branch[]; orphans: Circuit[] } {
  const byName = new Map<string, Branch>();
  const grow = (node: NetworkNode): Branch => {
    const branch: Branch = { node, circuits: [], children: node.children.map((child) => grow(child)) };
    byName.set(node.name, branch);
    return branch;
  };
  const top = isp.nodes.map((node) => grow(node));
  const orphans: Circuit[] = [];
  for (const circuit of isp.circuits) {
    const home = circuit.parent === undefined ? undefined : byName.get(circuit.parent);
    (home?.circuits ?? orphans).push(circuit);
  }
  return { top, orphans };
}

/** What a parent leaves to what hangs on it. */
interface Above {
  readonly ceil: Both<BitsPerSecond>;
  readonly limit: Both<Limit>;
}

/** The tighter of an own rate and what is left by the parent, with whose it is. */
function cap(max: Both<BitsPerSecond>, above: Above): Above {
  const own = both((d) => max[d] <= above.ceil[d]);
  return {
    ceil: both((d) => wholeBytesRate(own[d] ? max[d] : above.ceil[d])),
    limit: both((d) => (own[d] ? OWN : above.limit[d])),
  };
}

const draftCircuit = (circuit: Circuit, above: Above): Draft => ({
  name: circuit.id,
  circuit,
  children: [],
  ...cap(circuit.max, above),
});

function draftBranch(branch: Branch, above: Above): Draft {
  const { name } = branch.node;
  const own = cap(branch.node.max, above);
  const limit = both((d): Limit => (own.limit[d].kind === "own" ? { kind: "node", name } : own.limit[d]));
  const below = { ceil: own.ceil, limit };
  const circuits = branch.circuits.map((circuit) => draftCircuit(circuit, below));
  const children = branch.children.map((child) => draftBranch(child, below));
  return { name, node: branch.node, children: [...circuits, ...children], ...own };
}

/** What nodes were granted before, by name. */
export type PriorGrants = ReadonlyMap<string, Both<BitsPerSecond>>;

function claimOf(draft: Draft, direction: Direction, priors: PriorGrants): Claim<Draft> {
  const prior = draft.node && priors.get(draft.name)?.[direction];
  return {
    owner: draft,
    kind: draft.node ? "node" : "circuit",
    ...(prior !== undefined && { prior }),
    minimum: (draft.circuit ?? draft.node)!.min[direction],
    ceil: draft.ceil[direction],
    children: draft.children.map((child) => claimOf(child, direction, priors)),
  };
}

/** Grants the minimums of one direction; what does not fit is reported and, with `strict`, is an error. */
function grant(
  drafts: readonly Draft[],
  direction: Direction,
  config: ShaperConfig,
  priors: PriorGrants,
  problems: Problem[],
): Map<Draft, BitsPerSecond> {
  const available = wholeBytesRate(bitsPerSecond(config.rate[direction] * (1 - UNKNOWN_SHARE)));
  const claims = drafts.map((draft) => claimOf(draft, direction, priors));
  const { grants, oversubscribed } = grantMinimums(claims, available);
  for (const { parent, sum, ceil, hopeless } of oversubscribed) {
    // Two rates that people would read as the same are shown to the bit.
    const show = humanRate(sum) === humanRate(ceil) ? (rate: number) => `${rate} bit/s` : humanRate;
    const params = {
      direction,
      parent: parent ? `node "${parent.name}"` : "the link (less 1 % for unknown hosts)",
      sum: show(sum),
      rate: show(ceil),
      floor: humanRate(RATE_FLOOR),
      percent: Number(((100 * ceil) / sum).toPrecision(3)),
    };
    const kept = config.minimums === "scale" ? "SHAPER_MINIMUMS_SCALED" : "SHAPER_MINIMUMS_OVERSUBSCRIBED";
    problems.push(problem(hopeless ? "SHAPER_FLOORS_OVERSUBSCRIBED" : kept, params, parent?.node?.where));
  }
  return new Map(grants.map(({ owner, rate }) => [owner, rate]));
}

function warnOfCaps(circuit: TreeCircuit, problems: Problem[]): void {
  for (const d of DIRECTIONS) {
    const by = circuit.limit[d];
    if (by.kind === "own") continue;
    const limit = by.kind === "link" ? "the link" : `node "${by.name}"`;
    const rate = humanRate(circuit.circuit.max[d]);
    const params = {
      what: `Circuit "${circuit.circuit.id}"`,
      direction: d,
      rate,
      limit,
      ceil: humanRate(circuit.ceil[d]),
    };
    problems.push(problem("SHAPER_CEIL_CAPPED", params, circuit.circuit.where));
  }
}

/**
 * Builds the tree. Errors make it unusable; warnings say where it differs from the files.
 *
 * @param priors what nodes were granted before; they keep it where that is still right (minimums.ts)
 */
export function buildTree(
  isp: Isp,
  config: ShaperConfig,
  priors: PriorGrants = new Map(),
): { tree: Tree; problems: Problem[] } {
  const { top, orphans } = branchesOf(isp);
  const { top: flat, problems } = flatten(top);
  const link = { ceil: both((d) => wholeBytesRate(config.rate[d])), limit: both((): Limit => ({ kind: "link" })) };
  const drafts = [
    ...flat.map((branch) => draftBranch(branch, link)),
    ...orphans.map((circuit) => draftCircuit(circuit, link)),
  ];
  const granted = both((d) => grant(drafts, d, config, priors, problems));

  const finishCircuit = (draft: Draft): TreeCircuit => {
    const { ceil, limit } = draft;
    const circuit = { circuit: draft.circuit!, ceil, limit, rate: both((d) => granted[d].get(draft)!) };
    warnOfCaps(circuit, problems);
    return circuit;
  };
  const finishNode = (draft: Draft): TreeNode => ({
    name: draft.name,
    source: draft.node!,
    ceil: draft.ceil,
    limit: draft.limit,
    rate: both((d) => granted[d].get(draft)!),
    circuits: draft.children.filter((child) => child.circuit).map((child) => finishCircuit(child)),
    children: draft.children.filter((child) => child.node).map((child) => finishNode(child)),
  });

  const tree: Tree = {
    nodes: drafts.filter((draft) => draft.node).map((draft) => finishNode(draft)),
    orphans: drafts.filter((draft) => draft.circuit).map((draft) => finishCircuit(draft)),
    unknown: both((d) => {
      const ceil = Math.min(config.unknownRate?.[d] ?? config.rate[d], config.rate[d]);
      const rate = Math.min(Math.max(RATE_FLOOR, config.rate[d] * UNKNOWN_SHARE), ceil);
      return { rate: wholeBytesRate(bitsPerSecond(rate)), ceil: wholeBytesRate(bitsPerSecond(ceil)) };
    }),
  };
  return { tree, problems };
}
