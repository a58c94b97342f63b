/** Changes rates in the kernel over rtnetlink. */
import type { Executor, Outcome } from "../../core/executor.ts";
import { handle } from "../../core/tc/handle.ts";
import { MessageWriter } from "../../linux/netlink/message.ts";
import type { RtnlSocket } from "../../linux/netlink/socket.ts";
import { encodeClass } from "../../linux/netlink/tc/class.ts";
import { encodeQdisc } from "../../linux/netlink/tc/qdisc.ts";
import type { TargetAction } from "./actions.ts";

/** Executes on one interface. */
export class TargetExecutor implements Executor<TargetAction> {
  readonly batch = 64;
  readonly #socket: RtnlSocket;
  readonly #ifindex: number;

  constructor(socket: RtnlSocket, ifindex: number) {
    this.#socket = socket;
    this.#ifindex = ifindex;
  }

  run(actions: readonly TargetAction[]): Promise<readonly Outcome[]> {
    const writer = new MessageWriter(256);
    for (const action of actions) {
      if (action.kind === "class.change") encodeClass(writer, "change", this.#ifindex, action.at);
      else {
        // By its handle alone: if another one took its place meanwhile, the kernel refuses, and moves nothing.
        const at = { ...action.at, parent: handle(0) };
        encodeQdisc(writer, "change", this.#ifindex, at, { partial: true });
      }
    }
    return Promise.resolve(this.#socket.send(writer.finish()));
  }
}
