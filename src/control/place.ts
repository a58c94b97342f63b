/** Where operations work: one installation on one machine. */
import type { Clock } from "../core/clock.ts";
import { Dispatcher } from "../dispatcher/dispatcher.ts";
import { openTcHost } from "../dispatcher/tc-host.ts";
import type { Paths } from "../linux/paths.ts";
import type { LiveRates } from "../shaper/live-rates.ts";
import type { ShaperPlace } from "../shaper/shaper.ts";

/** The installation. */
export interface Place {
  readonly paths: Paths;
  readonly clock: Clock;
  /** The configuration's path. */
  readonly config: string;
  /** Name or path of the network namespace of the interfaces; this process's own when left out. */
  readonly netns?: string;
  /** Rates of the shaper's nodes that hold instead of planned ones; absent where nobody drives any. */
  readonly live?: LiveRates;
  /** Aborted when a change under way shall be taken back. */
  readonly signal?: AbortSignal;
  /** Called as a change goes on. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** The owner of the shaper's programs on the dispatcher. */
const OWNER = "sluice-shaper";

/** The same place as the shaper wants it; its classifier goes on the dispatcher. */
export function shaperPlace({ paths, clock, netns, live }: Place): ShaperPlace {
  const where = netns === undefined ? {} : { netns };
  const egress = () => openTcHost({ side: "egress", paths, clock, owner: OWNER, ...where });
  return { paths, ...where, egress, ...(live && { live }) };
}

/** Opens the dispatcher. Dispose it. */
export const openDispatcher = ({ paths, clock }: Place, lockTimeout?: number): Dispatcher =>
  new Dispatcher({ paths, clock, ...(lockTimeout !== undefined && { lockTimeout }) });
