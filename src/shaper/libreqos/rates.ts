/** LibreQoS's arithmetic of rates, all of it in Mbit/s. Each is checked against recorded values. */
import { formatFixed, roundHalfEven } from "./python/round.ts";

/** HTB wants quanta of at most this many bytes. */
const LARGEST_QUANTUM = 60_000;
/** A full packet with its Ethernet header and a VLAN tag or two. */
const SMALLEST_QUANTUM = 1522;
/** The kernel's own default. */
const SMALLEST_R2Q = 10;

const bytesPerSecond = (mbps: number): number => mbps * 125_000;

/**
 * The divisor by which quanta come from rates: the least one, from 10 up, that keeps the quantum of the fastest class in
 * bounds.
 *
 * @param capacity the faster of the line's two rates
 */
export function r2q(capacity: number): number {
  const least = Math.max(SMALLEST_R2Q, Math.floor(bytesPerSecond(capacity) / LARGEST_QUANTUM));
  return bytesPerSecond(capacity) / least > LARGEST_QUANTUM ? least + 1 : least;
}

/** The quantum of a class in bytes, from its ceiling; nan when the ceiling is none. */
export const quantum = (rate: number, divisor: number): number =>
  Math.max(SMALLEST_QUANTUM, Math.trunc(bytesPerSecond(rate) / divisor));

/** A rate for tc: `1.0gbit`, `155.0mbit`, `500kbit`. The unit is chosen before it is rounded: 0.9996 gives `1000kbit`. */
export function formatRate(rate: number): string {
  if (rate >= 1000) return `${formatFixed(rate / 1000, 1)}gbit`;
  if (rate >= 1) return `${formatFixed(rate, 1)}mbit`;
  return `${formatFixed(rate * 1000, 0)}kbit`;
}

/** What the class for unknown hosts is guaranteed: a quarter of what it may send, which is all but 1 Mbit/s. */
export const defaultClassRate = (capacity: number): number => roundHalfEven((capacity - 1) / 4);
/** What the class for unknown hosts may send. */
export const defaultClassCeil = (capacity: number): number => capacity - 1;
