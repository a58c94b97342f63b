/** Orders on their way to a worker: sent at once while it reads, kept for a while when it does not. */
import type { Channel } from "../../linux/channel.ts";
import type { Fd } from "../../linux/fd.ts";
import type { Order } from "../worker/message-codec.ts";
import type { Timers } from "./timers.ts";

/** Before it is tried again, ms. */
const RETRY = 5;
/** As many may wait before there is no room. */
const ROOM = 32;

interface Item {
  readonly order: Order;
  readonly fds: readonly Fd[];
}

/** What an outbox is made of. */
export interface OutboxParts {
  readonly channel: Channel;
  readonly timers: Timers;
  /** The worker has read nothing for so long, ms. */
  readonly patience: number;
  /** There is room again. */
  room(): void;
  /** The worker does not read; called once. */
  stuck(): void;
}

/** The queue. It never waits for the worker, and takes whatever it is given; who has much to say asks for {@link room} first. */
export class Outbox implements Disposable {
  readonly #parts: OutboxParts;
  readonly #items: Item[] = [];
  #timer: Disposable | undefined;
  #movedAt = 0;

  constructor(parts: OutboxParts) {
    this.#parts = parts;
  }

  /** Whether more should be said now. */
  get room(): boolean {
    return this.#items.length < ROOM;
  }

  /** Whether all has been sent. */
  get empty(): boolean {
    return this.#items.length === 0;
  }

  /** Sends, in order. @param fds from now on this object's */
  push(order: Order, fds: readonly Fd[] = []): void {
    this.#items.push({ order, fds });
    if (this.#timer) return;
    this.#movedAt = this.#parts.timers.now();
    this.#flush();
  }

  #flush(): void {
    const { channel, timers, patience } = this.#parts;
    this.#timer = undefined;
    for (let item = this.#items[0]; item; item = this.#items[0]) {
      const numbers = item.fds.map((fd) => fd.number);
      if (!channel.send(item.order, numbers)) break;
      this.#items.shift();
      for (const fd of item.fds) fd[Symbol.dispose]();
      this.#movedAt = timers.now();
    }
    if (this.empty) return;
    if (timers.now() - this.#movedAt >= patience) return this.#parts.stuck();
    this.#timer = timers.after(RETRY, () => {
      this.#flush();
      if (this.room) this.#parts.room();
    });
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    for (const { fds } of this.#items.splice(0)) for (const fd of fds) fd[Symbol.dispose]();
  }
}
