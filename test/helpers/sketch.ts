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

/** An ISP before a change. */
export const BEFORE: Sketch = {
  sites: { A: 100, B: 50 },
  circuits: { a1: ["A", 10, "100.64.1.1"], a2: ["A", 20, "100.64.1.2"], b1: ["B", 5, "100.64.1.3"] },
};
/** And after it: one circuit changed, one moved, one gone, one new. */
export const AFTER: Sketch = {
  sites: { A: 100, B: 50 },
  circuits: { a1: ["A", 12, "100.64.1.1"], a2: ["B", 20, "100.64.1.2"], n1: ["A", 5, "100.64.1.4"] },
};
