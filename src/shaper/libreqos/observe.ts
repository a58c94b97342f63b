/**
 * LibreQoS's `monitor_only`: the same tree with rates that nothing reaches, and circuits without leaf qdiscs. The rates
 * differ by place because they were put in at different times; all are written out.
 */
import type { Both } from "../model.ts";

const everyDirection = (mbps: number): Both<number> => ({ download: mbps, upload: mbps });

/** Every rate of every circuit, Mbit/s; it replaces the cells before anything is compared. */
export const OBSERVED_CIRCUIT = 10_000;
/** A node's minimum before minimums are summed, and all of its rates when it gets its ids, Mbit/s. */
export const OBSERVED_NODE = 100_000;
/** What Generated_PN nodes have at first; ids overwrite it. */
export const OBSERVED_GENERATED = everyDirection(10_000);
