/** How large the buckets of token bucket filters have to be. */
import { type BitsPerSecond, type Bytes, bytes } from "../units.ts";

/** Room for link headers above the MTU in the smallest burst: Ethernet, two VLAN tags, PPPoE, and some to spare. */
const HEADROOM = 100;
const BURST_SECONDS = 0.01;
/** The kernel keeps a burst as a time of 2^32 ticks of 64 ns at most: what fits a jumbo MTU at the least rate does not. */
const BURST_MAX_SECONDS = 274;

/** A packet of the largest size, with all of its headers. */
export const fullPacket = (mtu: number): Bytes => bytes(mtu + HEADROOM);

/**
 * The burst with which a rate is really reached: 10 ms of it, at least a packet. With less (tc's default is 1600 bytes)
 * 10 to 25 % of 20 to 50 Mbit/s are lost to timer granularity on small machines.
 */
export function burstOf(rate: BitsPerSecond, mtu: number): Bytes {
  const wanted = Math.max(1600, fullPacket(mtu), Math.ceil((rate / 8) * BURST_SECONDS));
  return bytes(Math.min(wanted, Math.floor(rate / 8) * BURST_MAX_SECONDS));
}
