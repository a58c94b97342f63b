/**
 * Trees deeper than HTB allows. HTB has eight levels (TC_HTB_MAXDEPTH): the link's root class takes one and circuits
 * another, which leaves {@link NODE_LEVELS} for nodes. A deeper tree is made to fit in two steps, of which the first
 * loses nothing:
 *
 * 1. *Fold*: above a node that is too deep, a node that limits nothing of its own goes, and what hangs on it moves to its
 *    parent: an only child's parent (the child takes over the tighter of the two ceilings), or a node that may send
 *    all that its parent may.
 * 2. *Lift*: what is still too deep moves up beside its ancestor on the last level, with a ceiling cut to everything it
 *    passed. Each node's own rate still holds, but no longer the lifted ancestors' rate for them together.
 */
import { type Problem, problem } from "../core/errors.ts";
import { bitsPerSecond } from "../core/units.ts";
import { type Both, type Circuit, DIRECTIONS, type NetworkNode } from "./model.ts";
import { both } from "../core/both.ts";

/** Levels of nodes between the link and the circuits. */
const NODE_LEVELS = 6;

/** A node of the tree being built: the file's node with its circuits, movable. */
export interface Branch {
  node: NetworkNode;
  children: Branch[];
  circuits: Circuit[];
}

const depthOf = (branch: Branch): number => 1 + Math.max(0, ...branch.children.map((child) => depthOf(child)));

/** The child with its parent's limits added to its own. */
function tighten(child: Branch, parent: NetworkNode): Branch {
  const max = both((d) => bitsPerSecond(Math.min(child.node.max[d], parent.max[d])));
  const min = both((d) => bitsPerSecond(Math.min(max[d], Math.max(child.node.min[d], parent.min[d]))));
  return { ...child, node: { ...child.node, max, min } };
}

const isPassage = (branch: Branch): boolean => branch.children.length === 1 && branch.circuits.length === 0;

const limitsNothing = (node: NetworkNode, above: Both<number>): boolean =>
  DIRECTIONS.every((d) => node.max[d] >= above[d] && node.min[d] === 0);

/** Folds nodes on the paths that are too deep, top down, until the tree fits or nothing more can go. */
function fold(siblings: readonly Branch[], level: number, above: Both<number>, parent?: Branch): [Branch[], string[]] {
  const folded: string[] = [];
  const kept: Branch[] = [];
  const waiting = [...siblings];
  for (let branch = waiting.shift(); branch; branch = waiting.shift()) {
    const tooDeep = depthOf(branch) + level - 1 > NODE_LEVELS;
    if (!tooDeep) kept.push(branch);
    else if (isPassage(branch)) {
      folded.push(branch.node.name);
      waiting.unshift(tighten(branch.children[0]!, branch.node));
    } else if (parent && limitsNothing(branch.node, above)) {
      // Only below a parent: circuits on the link itself are spread over all queues one by one.
      folded.push(branch.node.name);
      parent.circuits.push(...branch.circuits);
      waiting.unshift(...branch.children);
    } else {
      const ceil = both((d) => Math.min(branch.node.max[d], above[d]));
      const [children, names] = fold(branch.children, level + 1, ceil, branch);
      branch.children = children;
      folded.push(...names);
      kept.push(branch);
    }
  }
  return [kept, folded];
}

/** The branch and everything below it as siblings, each no faster than what it hung on. */
function lift(branch: Branch): Branch[] {
  const children = branch.children;
  branch.children = [];
  return [
    branch,
    ...children.flatMap((child) => lift(tighten(child, { ...branch.node, min: both(() => bitsPerSecond(0)) }))),
  ];
}

function liftBelow(siblings: readonly Branch[], level: number, problems: Problem[]): void {
  for (const branch of siblings) {
    if (level < NODE_LEVELS - 1) {
      liftBelow(branch.children, level + 1, problems);
      continue;
    }
    const flat: Branch[] = [];
    const names: string[] = [];
    for (const child of branch.children) {
      const [last, ...lifted] = lift(child);
      flat.push(last!, ...lifted);
      names.push(...lifted.map((b) => b.node.name));
    }
    branch.children = flat;
    if (names.length > 0) {
      const params = {
        levels: NODE_LEVELS,
        nodes: names.map((name) => `"${name}"`).join(", "),
        parent: `"${branch.node.name}"`,
      };
      problems.push(problem("SHAPER_TREE_FLATTENED", params, branch.node.where));
    }
  }
}

/**
 * Makes a tree fit into HTB's levels. Branches are changed in place, so hand over a copy.
 *
 * @returns the top level, and a warning per place where something was lost and one that names what was folded
 */
export function flatten(siblings: readonly Branch[]): { top: Branch[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const [top, folded] = fold(
    siblings,
    1,
    both(() => Number.POSITIVE_INFINITY),
  );
  if (folded.length > 0) {
    const nodes = folded.map((name) => `"${name}"`).join(", ");
    problems.push(problem("SHAPER_TREE_FOLDED", { levels: NODE_LEVELS, nodes }));
  }
  liftBelow(top, 1, problems);
  return { top, problems };
}
