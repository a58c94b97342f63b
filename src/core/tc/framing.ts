/** How HTB and TBF reckon a packet's length: what tc calls overhead, mpu and linklayer, which belong to their rates. */

/** What is added to the length that Linux sees. */
export interface Framing {
  /** Bytes per packet. */
  readonly overhead: number;
  /** No packet counts for fewer bytes. */
  readonly mpu: number;
  /** `atm`: in cells of 53 bytes that carry 48. */
  readonly linklayer: "ethernet" | "atm";
}

/** Nothing is added. */
export const PLAIN: Framing = { overhead: 0, mpu: 0, linklayer: "ethernet" };

/** Whether both reckon alike; left out is {@link PLAIN}. */
export const sameFraming = (a: Framing = PLAIN, b: Framing = PLAIN): boolean =>
  a.overhead === b.overhead && a.mpu === b.mpu && a.linklayer === b.linklayer;

const CELL = 53;
const CELL_CONTENT = 48;

/** Bytes on the wire of a packet of this length, as the kernel reckons (net/sch_generic.h, psched_l2t_ns). */
export function wireLength(length: number, { overhead, mpu, linklayer }: Framing = PLAIN): number {
  const framed = Math.max(length + overhead, mpu);
  return linklayer === "atm" ? Math.ceil(framed / CELL_CONTENT) * CELL : framed;
}

/** The longest packet that is so long on the wire; to the nearest cell, as dumps are rounded. */
export function lengthOnWire(wire: number, { overhead, linklayer }: Framing = PLAIN): number {
  const framed = linklayer === "atm" ? Math.max(1, Math.round(wire / CELL)) * CELL_CONTENT : wire;
  return Math.max(1, framed - overhead);
}
