/** What all parts of the daemon share. */
import type { DatabaseSync } from "node:sqlite";
import type { ProgressJson } from "../api/schemas/system.ts";
import type { Place } from "../control/place.ts";
import type { FdStore } from "../linux/fd-store.ts";
import type { OwnPorts } from "../linux/netlink/ports.ts";
import type { LiveRates } from "../shaper/live-rates.ts";
import type { Journal } from "./journal.ts";
import type { Serial } from "./serial.ts";
import type { Topic } from "./topic.ts";

/** The parts' common ground. */
export interface System {
  readonly place: Place & { readonly live: LiveRates };
  readonly db: DatabaseSync;
  readonly journal: Journal;
  /** Changes of the kernel, one after the other. */
  readonly serial: Serial;
  readonly progress: Topic<ProgressJson>;
  /** Sockets whose changes of the kernel the watcher need not look at. */
  readonly ports: OwnPorts;
  /** What the next process shall find open. */
  readonly fds: FdStore;
}
