/** The pure middle of the shaper: from files, configuration, machine and store to the state to reach. */
import { type Problem, SluiceError } from "../core/errors.ts";
import { major, minor } from "../core/tc/handle.ts";
import { type Allocation, allocate, grantsOf } from "./allocation.ts";
import { buildDesired, sidesOf } from "./desired.ts";
import { resolveLeaf } from "./leaf.ts";
import type { Desired, Facts, Isp, Link, Observed, ShaperConfig } from "./model.ts";
import { UPLOAD_BIT } from "./numbers.ts";
import { buildTree, type Tree } from "./tree.ts";

/** All that the state to reach depends on. */
export interface BuildInput {
  readonly isp: Isp;
  readonly config: ShaperConfig;
  readonly facts: Facts;
  readonly prior: Allocation;
  readonly observed: Observed;
  readonly rebalance?: boolean;
}

/** The state to reach, with what it was made of. */
export interface Built {
  readonly tree: Tree;
  readonly allocation: Allocation;
  readonly desired: Desired;
  readonly warnings: readonly Problem[];
}

/** Every number that the kernel has in use on the link's devices, as circuits and nodes count them. */
function occupiedNumbers(observed: Observed, link: Link["kind"]): Set<number> {
  const mask = link === "stick" ? UPLOAD_BIT - 1 : 0xffff;
  const numbers = new Set<number>();
  for (const device of observed.devices.values()) {
    for (const at of device.classes) numbers.add(minor(at.classid) & mask);
    for (const at of device.qdiscs) numbers.add(major(at.handle) & mask);
  }
  return numbers;
}

/**
 * Builds the state to reach.
 *
 * @throws SluiceError with every error at once when there is one; warnings are returned
 */
export function buildShaper(input: BuildInput): Built {
  const { isp, config, facts, prior, observed } = input;
  const { tree, problems } = buildTree(isp, config, input.rebalance ? undefined : grantsOf(prior));
  const { base, problems: leafProblems } = resolveLeaf(config.leaf, facts.leafKinds);
  const { allocation, problems: allocationProblems } = allocate({
    tree,
    link: config.link.kind,
    queues: sidesOf(config, facts).queues,
    prior,
    occupied: occupiedNumbers(observed, config.link.kind),
    rebalance: input.rebalance ?? false,
  });
  const { desired, problems: desiredProblems } = buildDesired({ config, facts, tree, allocation, leaf: base });
  const all = [...problems, ...leafProblems, ...allocationProblems, ...desiredProblems];
  if (all.some((p) => p.severity === "error")) throw new SluiceError(all);
  return { tree, allocation, desired, warnings: all };
}
