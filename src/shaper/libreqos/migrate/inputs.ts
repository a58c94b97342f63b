/** Findings about the files: what either side does not take, passes over, or reads otherwise. */
import type { Problem } from "../../../core/errors.ts";
import type { LibreqosBuilt, LibreqosResult } from "../build.ts";
import type { PlacedNode } from "../ids.ts";
import { flattenNodes } from "./compare.ts";
import { about, counted, type Finding, type FindingItem } from "./finding.ts";

/** A problem as an item: which file, and what is said of it. */
function itemOf({ code, message, remedy, where }: Problem): FindingItem {
  const text = `${message} [${code}]; ${remedy.charAt(0).toLowerCase()}${remedy.slice(1)}`;
  return { subject: where?.file ?? "the tree", text, ...(where && { where }) };
}

const isError = ({ severity }: Problem): boolean => severity === "error";

/** What LibreQoS refuses or ends at. */
export function libreqosRefusals({ problems }: LibreqosResult): Finding[] {
  const items = problems.filter((p) => isError(p)).map((p) => itemOf(p));
  return about(
    "refused-by-libreqos",
    items,
    (count) => `LibreQoS itself does not take these files: ${counted(count, "problem")}`,
    "So there is no tree of LibreQoS's to compare with; sluice may take them nevertheless",
  );
}

/** What sluice refuses. @param taken whether LibreQoS takes the files */
export function ownRefusals(problems: readonly Problem[], taken: boolean): Finding[] {
  const items = problems.filter((p) => isError(p)).map((p) => itemOf(p));
  if (items.length === 0) return [];
  const guess = taken
    ? "LibreQoS takes them, and guesses, or lets the last one win"
    : "They have to be mended either way";
  const title = `sluice does not take these files before ${counted(items.length, "problem")} ${items.length === 1 ? "is" : "are"} mended`;
  return [{ id: "refused-by-sluice", kind: "refused", title, why: guess, items }];
}

/** Minimums that had to be scaled. */
export const scaledMinimums = (problems: readonly Problem[]): Finding[] =>
  about(
    "minimums",
    problems.filter(({ code }) => code === "SHAPER_MINIMUMS_SCALED").map((p) => itemOf(p)),
    () => 'Minimums are scaled (minimums = "scale")',
    "They add up to more than there is, so that no shaper could keep them; LibreQoS writes them all the same",
  );

/** Circuits that LibreQoS leaves out without an error. */
export function unshaped({ circuits, placement }: LibreqosBuilt): Finding[] {
  const names = new Set(flattenNodes(placement.nodes).map(({ name }) => name));
  const items = circuits
    .filter(({ parent }) => !names.has(parent))
    .map(({ id, parent, where }) => ({ subject: `circuit "${id}"`, text: `there is no node "${parent}"`, where }));
  return about(
    "unshaped",
    items,
    (count) => `${counted(count, "circuit")} ${count === 1 ? "is" : "are"} not shaped by LibreQoS`,
    "Their parent nodes are not in the network; LibreQoS only says so on its console, sluice refuses the file",
  );
}

/** Whether the file says that a node is none, in either of the ways of later versions. */
const isVirtual = ({ fields }: PlacedNode): boolean => {
  const type = fields.get("type");
  return fields.get("virtual") === true || (typeof type === "string" && type.toLowerCase() === "virtual");
};

/** What deep trees and virtual nodes come to. */
export function treeShape({ placement }: LibreqosBuilt, problems: readonly Problem[]): Finding[] {
  const deep = problems.filter(({ code }) => code === "SHAPER_TREE_FLATTENED" || code === "SHAPER_TREE_FOLDED");
  const virtual = flattenNodes(placement.nodes)
    .filter((node) => isVirtual(node))
    .map(({ name }) => ({ subject: `node "${name}"`, text: "what hangs on it moves up" }));
  return [
    ...about(
      "depth",
      deep.map((p) => itemOf(p)),
      () => "The tree is deeper than HTB's levels",
      "LibreQoS puts all nodes below the fifth level side by side; sluice folds those that limit nothing first",
    ),
    ...about(
      "virtual",
      virtual,
      (count) => `${counted(count, "virtual node")} ${count === 1 ? "is" : "are"} dissolved`,
      "This LibreQoS builds them as ordinary nodes, later ones and sluice do not",
    ),
  ];
}
