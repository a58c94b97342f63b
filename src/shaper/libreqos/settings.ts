/** What LibreQoS's algorithm is told besides the two files. */
import type { Both } from "../model.ts";

/** The interfaces and what LibreQoS makes of them. */
export interface LibreqosLink {
  /** Towards the subscribers: download leaves here. LibreQoS's `interface_a`. */
  readonly lan: string;
  /** Towards the Internet: upload leaves here. On a stick the same as {@link LibreqosLink.lan}. */
  readonly internet: string;
  readonly onAStick: boolean;
  /** On a stick: the VLANs by which the classifier tells directions apart. No tc line has them. */
  readonly vlans?: { readonly lan: number; readonly internet: number };
}

/** Everything that reaches the tree but for the number of queues. Rates are in Mbit/s. */
export interface LibreqosOptions {
  readonly link: LibreqosLink;
  /** Of the line. LibreQoS's own binding says *uplink* for both ({@link conflateCapacity}). */
  readonly capacity: Both<number>;
  /** Rate of the nodes that LibreQoS adds: Generated_PN and CpueQueue. */
  readonly generated: Both<number>;
  /** Leaf of circuits and default classes, word for word as tc shall have it. */
  readonly defaultSqm: string;
  /** Everything is built, nothing is limited. */
  readonly monitorOnly: boolean;
  readonly useBinpacking: boolean;
  /** Nothing would be executed; LibreQoS says so first. */
  readonly dryRun: boolean;
}

/** All of it. */
export interface LibreqosSettings extends LibreqosOptions {
  /** Queues found on the interfaces ({@link countQueues}); a stick uses half of them per direction. */
  readonly queuesAvailable: number;
}

/**
 * What LibreQoS makes of the two configured capacities: its Python binding answers with the uplink's for both directions,
 * so the downlink's is never used.
 */
export const conflateCapacity = (capacity: Both<number>): Both<number> => ({
  download: capacity.upload,
  upload: capacity.upload,
});

/** How queues are used. */
export interface QueueLayout {
  /** Per direction. */
  readonly queues: number;
  /** Added to a queue of download for the one of upload: 0 with two interfaces. */
  readonly stickOffset: number;
}

/** Divides the queues found between the directions. */
export function layoutQueues({ link, queuesAvailable }: LibreqosSettings): QueueLayout {
  if (!link.onAStick) return { queues: queuesAvailable, stickOffset: 0 };
  const half = Math.floor(queuesAvailable / 2);
  return { queues: half, stickOffset: half };
}

/** What counts for {@link countQueues}. */
export interface QueueSources {
  /** Transmit queues of each interface. */
  readonly transmit: readonly number[];
  readonly processors: number;
  /** `queues.override_available_queues`; 0 is none. */
  readonly override: number;
  readonly dryRun: boolean;
}

/** A dry run asks nobody. */
const DRY_QUEUES = 16;

/**
 * How many queues LibreQoS finds: the least of the interfaces' transmit queues and the processors. Undefined where it
 * stops with an error: with one queue or one processor it does not start.
 */
export function countQueues({ transmit, processors, override, dryRun }: QueueSources): number | undefined {
  if (dryRun) return DRY_QUEUES;
  const counts = override > 0 ? [override] : transmit;
  if (processors < 2 || counts.some((count) => count < 2)) return undefined;
  return Math.min(processors, ...counts);
}
