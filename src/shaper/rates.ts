/** From rates to HTB's parameters, each stated, none left to tc's or the kernel's guesses. */
import type { HtbClass } from "../core/tc/class.ts";
import { type BitsPerSecond, bitsPerSecond, type Bytes, bytes } from "../core/units.ts";

/** Room for link headers above the MTU in the smallest burst: Ethernet, two VLAN tags, PPPoE, and some to spare. */
const HEADROOM = 100;
const BURST_SECONDS = 0.01;
/** The kernel keeps a burst as a time of 2^32 ticks of 64 ns at most: what fits a jumbo MTU at the least rate does not. */
const BURST_MAX_SECONDS = 274;
const QUANTUM_SECONDS = 0.001;
const QUANTUM_MAX = 60_000;

/** Priorities when classes borrow: circuits before unknown hosts. */
export const PRIO = { circuit: 3, unknown: 5 } as const;

/** What `observe` gives everyone: nothing real is limited by it. */
export const UNLIMITED: BitsPerSecond = bitsPerSecond(100e9);

/**
 * The burst with which a rate is really reached: 10 ms of it, at least a packet. With less (tc's default is 1600 bytes)
 * 10 to 25 % of 20 to 50 Mbit/s are lost to timer granularity on small machines.
 */
function burstOf(rate: BitsPerSecond, mtu: number): Bytes {
  const wanted = Math.max(1600, mtu + HEADROOM, Math.ceil((rate / 8) * BURST_SECONDS));
  return bytes(Math.min(wanted, Math.floor(rate / 8) * BURST_MAX_SECONDS));
}

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
