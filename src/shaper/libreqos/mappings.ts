/** Which class and processor the packets of each address get: what LibreQoS hands to its XDP program, in its order. */
import type { LibreqosBuilt } from "./build.ts";
import type { PlacedCircuit, PlacedNode } from "./ids.ts";
import { hex } from "./lines.ts";
import { dumpText } from "./python/json.ts";
import { layoutQueues } from "./settings.ts";

/** One mapping. */
export interface IpMapping {
  /** A host or network, as the cell has it. */
  readonly ip: string;
  /** `0x1:0x4`. */
  readonly classid: string;
  /** Processor, and so transmit queue, counted from 0, in hex. */
  readonly cpu: string;
  /** Whether it is for upload: only on a stick, where every address is sent twice. */
  readonly upload: boolean;
  /** The class id as 32 bits. */
  readonly tcHandle: number;
  readonly cpuNumber: number;
}

function mapping(ip: string, { queue, minor }: PlacedCircuit, offset: number, upload: boolean): IpMapping {
  const major = queue + offset;
  const cpuNumber = major - 1;
  const tcHandle = major * 0x1_0000 + minor;
  return { ip, classid: `${hex(major)}:${hex(minor)}`, cpu: hex(cpuNumber), upload, tcHandle, cpuNumber };
}

/** The mappings, circuit by circuit in the order of the tree's lines. */
export function mapAddresses({ placement, settings }: Pick<LibreqosBuilt, "placement" | "settings">): IpMapping[] {
  const { stickOffset } = layoutQueues(settings);
  const mappings: IpMapping[] = [];
  const walk = (node: PlacedNode): void => {
    for (const placed of node.circuits) {
      for (const { ipv4s, ipv6s } of placed.circuit.devices) {
        for (const ip of [...ipv4s, ...ipv6s]) {
          mappings.push(mapping(ip, placed, 0, false));
          if (stickOffset > 0) mappings.push(mapping(ip, placed, stickOffset, true));
        }
      }
    }
    for (const child of node.children ?? []) walk(child);
  };
  for (const node of placement.nodes) walk(node);
  return mappings;
}

/** A mapping as a line of JSON. */
export const mappingLine = ({ ip, classid, cpu, upload, tcHandle, cpuNumber }: IpMapping): string =>
  `{"ip": ${dumpText(ip)}, "classid": "${classid}", "cpu": "${cpu}", "upload": ${upload}, ` +
  `"tc_handle": ${tcHandle}, "cpu_num": ${cpuNumber}}`;
