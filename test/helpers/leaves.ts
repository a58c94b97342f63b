/** Leaf qdiscs as the real tc shows them. */
import type { Isp } from "../../src/shaper/model.ts";
import { formatHandle } from "../../src/core/tc/handle.ts";
import { circuit } from "./isp.ts";
import type { ShapedLab } from "./shaper.ts";

/** A qdisc in the output of `tc -s -j qdisc show`. */
export interface TcQdisc {
  readonly kind: string;
  readonly handle: string;
  /** Absent for a root. */
  readonly parent?: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly bytes: number;
  readonly packets: number;
  readonly drops: number;
  readonly backlog: number;
  /** Of a CAKE. */
  readonly tins?: readonly Readonly<Record<string, number>>[];
}

/** All qdiscs of a device, with statistics. */
export const tcQdiscs = (lab: ShapedLab, device: string): TcQdisc[] =>
  JSON.parse(lab.router(`tc -s -j qdisc show dev ${device}`)) as TcQdisc[];

/** Circuits `c1` ... on the link itself, one per plan in Mbit/s, each with an address of its own. */
export const flatIsp = (plans: readonly number[]): Isp => ({
  nodes: [],
  circuits: plans.map((mbit, i) => circuit(`c${i + 1}`, undefined, mbit, { address: addressOf(i) })),
});

/** The address of the circuit with this index. */
export const addressOf = (index: number): string => `100.64.${1 + (index >> 7)}.${1 + (index & 127)}`;

/** The class of a circuit towards the subscribers, as tc writes it, once it has been applied. */
export function downloadClass(lab: ShapedLab, isp: Isp, id: string): string {
  const at = lab.shaper.plan(isp, lab.config).built.desired.hosts;
  const { prefixes } = isp.circuits.find((c) => c.id === id)!.devices[0]!;
  return formatHandle(at.get(prefixes[0]!.key)!.target.download.classid);
}
