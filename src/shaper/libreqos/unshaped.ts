/** The devices that LibreQoS says it did not shape. It goes by their names, so namesakes of shaped ones are passed over. */
import type { LibreqosCircuit } from "./circuits.ts";
import type { PlacedNode } from "./ids.ts";
import { NOT_SHAPED, type Report } from "./messages.ts";

/** Calls for every node of a tree. */
function visit(nodes: readonly PlacedNode[], look: (node: PlacedNode) => void): void {
  for (const node of nodes) {
    look(node);
    if (node.children) visit(node.children, look);
  }
}

/** Reports them, if there are any: one warning, and a line on stdout for each. */
export function reportUnshaped(
  circuits: readonly LibreqosCircuit[],
  nodes: readonly PlacedNode[],
  report: Report,
): void {
  const parents = new Set<string>();
  visit(nodes, ({ name }) => void parents.add(name));
  const homeless = circuits.filter(({ parent }) => !parents.has(parent));
  if (homeless.length === 0) return;
  const shaped = new Set<string>();
  visit(nodes, (node) => {
    for (const { circuit } of node.circuits) for (const { name } of circuit.devices) shaped.add(name);
  });
  const missing = homeless.flatMap(({ devices }) => devices.filter(({ name }) => !shaped.has(name)));
  if (missing.length === 0) return;
  const names = [...new Set(homeless.map(({ parent }) => `"${parent}"`))];
  const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
  const count = missing.length;
  const who = count === 1 ? "1 device names a parent node that is" : `${count} devices name parent nodes that are`;
  report.warn(NOT_SHAPED, {
    reason: `${who} not in the network (${names.slice(0, 3).join(", ")}${more})`,
    remedy: "Correct the Parent Node cells; blanks around a name count",
    where: homeless[0]!.where,
  });
  report.note("Devices not shaped:", "output");
  for (const { id, name } of missing) report.note(`DeviceID: ${id}\t DeviceName: ${name}`, "output");
}
