/** Views as JSON: plain fields with units in their names, no internals. */
import { DIRECTIONS } from "../../shaper/model.ts";
import type { CircuitView, NodeView, SideView } from "../../shaper/view.ts";

function sideJson(side: SideView): object {
  const { ceil, rate, limit, device, classid, counters } = side;
  return {
    ceilBitsPerSecond: ceil,
    rateBitsPerSecond: rate,
    limitedBy: limit,
    device,
    classid,
    counters: counters ?? null,
  };
}

/** A circuit with its plan, its path and both directions. */
export function circuitJson({ circuit, sides, path }: CircuitView): object {
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
    ...Object.fromEntries(
      DIRECTIONS.map((d) => [
        d,
        { planBitsPerSecond: circuit.max[d], minimumBitsPerSecond: circuit.min[d], ...sideJson(sides[d]) },
      ]),
    ),
  };
}

/** A node with everything below it. */
export function nodeJson(node: NodeView): object {
  return {
    name: node.name,
    ...Object.fromEntries(DIRECTIONS.map((d) => [d, sideJson(node.sides[d])])),
    circuits: node.circuits.map(({ circuit }) => circuit.id),
    children: node.children.map((child) => nodeJson(child)),
  };
}
