/**
 * HTB has eight levels. LibreQoS keeps the first five levels of nodes as they are; all that is below the fifth becomes
 * one flat sixth level, in the order of the tree. A name that comes twice there keeps its first place and its last node.
 */
import { NO_NODE, type RatedNode } from "./network.ts";

/** The last level of nodes whose children keep children of their own. */
const KEPT_LEVELS = 5;

const real = (nodes: readonly RatedNode[]): RatedNode[] => nodes.filter(({ name }) => name !== NO_NODE);

function collect(nodes: readonly RatedNode[], flat: Map<string, RatedNode>): Map<string, RatedNode> {
  for (const { children, ...node } of real(nodes)) {
    flat.set(node.name, node);
    if (children) collect(children, flat);
  }
  return flat;
}

/** Makes a tree no deeper than six levels. @param level of these nodes, counted from 1 */
export function flattenDepth(nodes: readonly RatedNode[], level = 1): RatedNode[] {
  return real(nodes).map((node) => {
    if (!node.children) return node;
    const children =
      level < KEPT_LEVELS ? flattenDepth(node.children, level + 1) : [...collect(node.children, new Map()).values()];
    return { ...node, children };
  });
}
