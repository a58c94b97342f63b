/** ISPs that can be written as JSON, to hand them to another process. */
import type { Isp } from "../../src/shaper/model.ts";
import { circuit, node } from "./isp.ts";

/** Sites with their rates in Mbit/s, and circuits with their site, rate and address. */
export interface Sketch {
  readonly sites: Readonly<Record<string, number>>;
  readonly circuits: Readonly<Record<string, readonly [site: string, mbit: number, address: string]>>;
}

/** The ISP of a sketch. */
export function ispOfSketch({ sites, circuits }: Sketch): Isp {
  return {
    nodes: Object.entries(sites).map(([name, mbit]) => node(name, mbit)),
    circuits: Object.entries(circuits).map(([id, [site, mbit, address]]) => circuit(id, site, mbit, { address })),
  };
}
