/** Views of the shaper as the API has them: plain fields with units in their names, no internals. */
import type { CircuitJson, NodeJson, SideJson } from "../../api/schemas/shaper.ts";
import { both } from "../../core/both.ts";
import type { CircuitView, NodeView, SideView } from "../../shaper/view.ts";

const sideJson = ({ ceil, rate, limit, device, classid, counters }: SideView): SideJson => ({
  ceilBitsPerSecond: ceil,
  rateBitsPerSecond: rate,
  limitedBy: limit,
  device,
  classid,
  counters: counters ?? null,
});

/** A circuit with its plan, its path and both directions. */
export function circuitJson({ circuit, sides, path }: CircuitView): CircuitJson {
  return {
    id: circuit.id,
    name: circuit.name,
    path: path.map((node) => node.name),
    pathCeilings: path.map(({ name, ceil }) => ({ name, download: ceil.download, upload: ceil.upload })),
    devices: circuit.devices.map((device) => ({
      id: device.id,
      name: device.name,
      addresses: device.prefixes.map((prefix) => prefix.key),
    })),
    ...both((d) => ({
      planBitsPerSecond: circuit.max[d],
      minimumBitsPerSecond: circuit.min[d],
      ...sideJson(sides[d]),
    })),
  };
}

/** A node with everything below it. */
export function nodeJson(node: NodeView): NodeJson {
  return {
    name: node.name,
    ...both((d) => {
      const { live } = node.sides[d];
      return { ...sideJson(node.sides[d]), ...(live !== undefined && { liveBitsPerSecond: live }) };
    }),
    circuits: node.circuits.map(({ circuit }) => circuit.id),
    children: node.children.map((child) => nodeJson(child)),
  };
}
