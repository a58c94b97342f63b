/**
 * What LibreQoS appends to a CAKE for slow circuits, in the two ways that it has had at the same time.
 *
 * The Python side looks for four exact rates and writes the round trip time without a unit, which tc takes for
 * **microseconds**: a cake that thinks the Internet is 300 us away drops what it should queue. It stays as it is here,
 * because these bytes are what is mirrored; the default dialect has ranges and milliseconds (`../leaf.ts`).
 */

const takesRtt = (sqm: string): boolean => sqm.startsWith("cake") && !sqm.includes("rtt");

const EXACT: ReadonlyMap<number, string> = new Map([
  [1, "rtt 300"],
  [2, "rtt 180"],
  [3, "rtt 140"],
  [4, "rtt 120"],
]);

/** The leaf of a circuit as the Python side writes it. @param rate the circuit's capped maximum in Mbit/s */
export function pythonSqm(rate: number, sqm: string): string {
  const rtt = EXACT.get(rate);
  return rtt !== undefined && takesRtt(sqm) ? `${sqm} ${rtt}` : sqm;
}

const RANGES: readonly (readonly [upTo: number, rtt: string])[] = [
  [1.5, "rtt 300ms"],
  [2.5, "rtt 180ms"],
  [3.5, "rtt 140ms"],
  [4.5, "rtt 120ms"],
];

/** The leaf of a circuit as the Rust side writes it. @param rate the circuit's capped maximum in Mbit/s */
export function rustSqm(rate: number, sqm: string): string {
  const range = RANGES.find(([upTo]) => rate <= upTo);
  return range && takesRtt(sqm) ? `${sqm} ${range[1]}` : sqm;
}
