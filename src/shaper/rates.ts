/** From rates to HTB's parameters, each stated, none left to tc's or the kernel's guesses. */
import { burstOf } from "../core/tc/burst.ts";
import type { HtbClass } from "../core/tc/class.ts";
import { type BitsPerSecond, bitsPerSecond, type Bytes, bytes } from "../core/units.ts";

const QUANTUM_SECONDS = 0.001;
const QUANTUM_MAX = 60_000;

/** Priorities when classes borrow: circuits before unknown hosts. */
export const PRIO = { circuit: 3, unknown: 5 } as const;

/** What `observe` gives everyone: nothing real is limited by it. */
export const UNLIMITED: BitsPerSecond = bitsPerSecond(100e9);

/**
 * Bytes per round when classes share what is left: 1 ms of the ceiling, so that plans from 12 to 480 Mbit/s share in
 * proportion and the value never depends on neighbours; at least a packet, at most what HTB takes without complaint.
 */
function quantumOf(ceil: BitsPerSecond, mtu: number): Bytes {
  return bytes(Math.min(Math.max(Math.round((ceil / 8) * QUANTUM_SECONDS), mtu + 14), Math.max(QUANTUM_MAX, mtu + 14)));
}

/** All parameters of a circuit's class from its two rates. */
export function circuitClass(rate: BitsPerSecond, ceil: BitsPerSecond, prio: number, mtu: number): HtbClass {
  return { rate, ceil, burst: burstOf(rate, mtu), cburst: burstOf(ceil, mtu), quantum: quantumOf(ceil, mtu), prio };
}

/** All parameters of a node's class. Quantum and prio are constants: inner classes have no use for them, nor do changes. */
export function nodeClass(rate: BitsPerSecond, ceil: BitsPerSecond, mtu: number): HtbClass {
  return { ...circuitClass(rate, ceil, PRIO.circuit, mtu), quantum: bytes(QUANTUM_MAX) };
}
