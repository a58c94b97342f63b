/** The independent prober: 20 echoes a second from the client to the net, through the same queues as everything else. */
import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Netns } from "../../src/linux/netns.ts";
import type { Echoes, ProberTask } from "./prober-worker.ts";

/** Echoes a second. */
const PROBES_PER_SECOND = 20;
/** The longest queue of the bed drains in 2.5 s at its lowest capacity. */
const PATIENCE = 3;

/** A prober that runs. Dispose to end it before its time. */
export class Prober implements AsyncDisposable {
  readonly #worker: Worker;
  /** Settles when the last echo came back, or should have. */
  readonly echoes: Promise<Echoes>;

  /** @param from monotonic, s @param seconds how long it sends */
  constructor(ns: Netns, address: string, from: number, seconds: number) {
    const interval = 1 / PROBES_PER_SECOND;
    const count = Math.floor(seconds * PROBES_PER_SECOND);
    const workerData: ProberTask = { netns: ns.path, address, from, count, interval, patience: PATIENCE };
    this.#worker = new Worker(join(import.meta.dirname, "prober-worker.ts"), { workerData });
    this.echoes = once(this.#worker, "message").then(([echoes]) => echoes as Echoes);
    // Who disposes of it early does not wait for them.
    this.echoes.catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }
}
