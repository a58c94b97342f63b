/** How deep the buckets of a rate are that both planes hold rules to. Pure. */

/** A burst of this length passes whole, s. */
const BURST = 0.1;
/** A bucket holds at least this, so that a low rate lets packets through at all. */
const LEAST_BITS = 8 * 65_536;
const LEAST_PACKETS = 1;

/** What a bucket of bits holds, as time of its rate, s. */
export const bitsDepth = (bitsPerSecond: number): number => Math.max(BURST, LEAST_BITS / bitsPerSecond);

/** What a bucket of packets holds, as time of its rate, s. */
export const packetsDepth = (packetsPerSecond: number): number => Math.max(BURST, LEAST_PACKETS / packetsPerSecond);
