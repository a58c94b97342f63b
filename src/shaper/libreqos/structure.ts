/** `queuingStructure.json`: the network as the steps left it, with every node's and circuit's class, byte for byte. */
import { DIRECTIONS } from "../model.ts";
import type { LibreqosBuilt } from "./build.ts";
import type { LibreqosDevice } from "./circuits.ts";
import { generatedNames } from "./generated-nodes.ts";
import type { PlacedCircuit, PlacedNode } from "./ids.ts";
import { hex } from "./lines.ts";
import { RATE_KEYS } from "./network.ts";
import { dumpJson, type PyDict, type PyValue } from "./python/json.ts";
import { int } from "./python/number.ts";
import { layoutQueues } from "./settings.ts";

const dict = (entries: Readonly<Record<string, PyValue>>): Map<string, PyValue> => new Map(Object.entries(entries));

const deviceDict = (device: LibreqosDevice): PyDict =>
  dict({
    deviceID: device.id,
    deviceName: device.name,
    mac: device.mac,
    ipv4s: device.ipv4s,
    ipv6s: device.ipv6s,
    comment: device.comment,
  });

function circuitDict({ circuit, queue, minor, max, min }: PlacedCircuit, offset: number): PyDict {
  return dict({
    maxDownload: max.download,
    maxUpload: max.upload,
    minDownload: min.download,
    minUpload: min.upload,
    circuitID: circuit.id,
    circuitName: circuit.name,
    ParentNode: circuit.parent,
    devices: circuit.devices.map((device) => deviceDict(device)),
    classid: `${hex(queue)}:${hex(minor)}`,
    up_classid: `${hex(queue + offset)}:${hex(minor)}`,
    classMajor: hex(queue),
    up_classMajor: hex(queue + offset),
    classMinor: hex(minor),
    comment: circuit.comment,
  });
}

function nodeDict(node: PlacedNode, offset: number): PyDict {
  const { queue, minor, parentMinor, children, circuits } = node;
  const parent = parentMinor === undefined ? "" : hex(parentMinor);
  const fields = new Map(node.fields);
  for (const direction of DIRECTIONS) {
    fields.set(RATE_KEYS.max[direction], int(node.max[direction]));
    fields.set(RATE_KEYS.min[direction], int(node.min[direction]));
  }
  return new Map<string, PyValue>([
    ...fields,
    ...(children ? [["children", levelDict(children, offset)] as const] : []),
    ["classid", `${hex(queue)}:${hex(minor)}`],
    ["up_classid", `${hex(queue + offset)}:${hex(minor)}`],
    ["parentClassID", `${hex(queue)}:${parent}`],
    ["up_parentClassID", `${hex(queue + offset)}:${parent}`],
    ["classMajor", hex(queue)],
    ["up_classMajor", hex(queue + offset)],
    ["classMinor", hex(minor)],
    ["cpuNum", hex(queue - 1)],
    ["up_cpuNum", hex(queue - 1 + offset)],
    ...(circuits.length > 0 ? [["circuits", circuits.map((circuit) => circuitDict(circuit, offset))] as const] : []),
  ]);
}

const levelDict = (nodes: readonly PlacedNode[], offset: number): PyDict =>
  new Map(nodes.map((node): [string, PyValue] => [node.name, nodeDict(node, offset)]));

/** The file's text. */
export function structureText({ placement, settings }: Pick<LibreqosBuilt, "placement" | "settings">): string {
  const { nodes, counters } = placement;
  const { stickOffset } = layoutQueues(settings);
  return dumpJson(
    dict({
      Network: levelDict(nodes, stickOffset),
      lastUsedClassIDCounterByCPU: new Map(
        counters.map((next, index): [string, PyValue] => [`${index + 1}`, int(next)]),
      ),
      generatedPNs: generatedNames(counters.length),
    }),
  );
}
