/** Changes a few classes in the kernel, for plans that change nothing else. */
import { setImmediate } from "node:timers/promises";
import type { Executor, Outcome } from "../../core/executor.ts";
import type { RtnlSocket } from "../../linux/netlink/socket.ts";
import type { ShaperAction } from "../actions.ts";
import { encodeTc, isTc } from "./netlink.ts";

/** Messages sent at once: some milliseconds at most, even in the largest trees. */
const BATCH = 64;

/** Executes on one interface. */
export class ClassExecutor implements Executor<ShaperAction> {
  readonly batch = BATCH;
  readonly #socket: RtnlSocket;
  readonly #ifindex: ReadonlyMap<string, number>;

  /** @param ifindex of the device that all actions are about */
  constructor(socket: RtnlSocket, device: string, ifindex: number) {
    this.#socket = socket;
    this.#ifindex = new Map([[device, ifindex]]);
  }

  async run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    const outcomes = this.#socket.send(encodeTc(actions.filter(isTc), this.#ifindex));
    if (actions.length === BATCH) await setImmediate();
    return outcomes;
  }
}
