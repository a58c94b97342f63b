/**
 * Waits for many descriptors in one thread. poll(2) sleeps in a thread of the pool that Node has anyway, so nothing is busy
 * while nothing comes; a second thread is never taken, however many descriptors there are.
 */
import { readSync, writeSync } from "node:fs";
import { logger } from "../core/log.ts";
import { messageOf } from "../core/errors.ts";
import { check } from "./errno.ts";
import { Fd } from "./fd.ts";
import { eventfd, pollAsync } from "./ffi.ts";

const EFD_CLOEXEC = 0o2000000;
const EFD_NONBLOCK = 0o4000;
const POLLIN = 1;
/** struct pollfd: s32 fd, s16 events, s16 revents. */
const POLLFD = 8;

interface Watch {
  readonly fd: number;
  readonly ready: () => void;
}

const log = logger("waiter");

/** The descriptors that are waited for, and the one thread that waits while there are any. */
export class Waiter {
  readonly #watches = new Set<Watch>();
  #wake: Fd | undefined;

  /** How many descriptors are waited for. */
  get size(): number {
    return this.#watches.size;
  }

  /**
   * Calls `ready` whenever there is something to read, until disposed; dispose it before the descriptor is closed. It must
   * read until nothing is left, or it is called again at once. One that throws is called no more.
   *
   * @throws SystemError
   */
  watch(fd: number, ready: () => void): Disposable {
    const watch: Watch = { fd, ready };
    this.#watches.add(watch);
    if (this.#wake) this.#interrupt();
    else {
      this.#wake = new Fd(check("eventfd", eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)));
      void this.#run(this.#wake);
    }
    return {
      [Symbol.dispose]: () => {
        if (this.#watches.delete(watch)) this.#interrupt();
      },
    };
  }

  #interrupt(): void {
    if (this.#wake) writeSync(this.#wake.number, BigUint64Array.of(1n));
  }

  async #run(wake: Fd): Promise<void> {
    while (this.#watches.size > 0) {
      const watches = [...this.#watches];
      const fds = Buffer.alloc((watches.length + 1) * POLLFD);
      for (const [index, fd] of [...watches.map((watch) => watch.fd), wake.number].entries()) {
        fds.writeInt32LE(fd, index * POLLFD);
        fds.writeInt16LE(POLLIN, index * POLLFD + 4);
      }
      await pollAsync(fds, watches.length + 1, -1);
      if (fds.readInt16LE(watches.length * POLLFD + 6) !== 0) readSync(wake.number, new Uint8Array(8));
      for (const [index, watch] of watches.entries()) {
        // One that has gone meanwhile is not called, not even by what came before it went.
        if (fds.readInt16LE(index * POLLFD + 6) !== 0 && this.#watches.has(watch)) this.#call(watch);
      }
    }
    this.#wake = undefined;
    wake[Symbol.dispose]();
  }

  #call(watch: Watch): void {
    try {
      watch.ready();
    } catch (error) {
      this.#watches.delete(watch);
      log.error("descriptor {fd} is no longer read: {reason}", { fd: watch.fd, reason: messageOf(error) });
    }
  }
}

/** The one that everything shares. */
export const waiter = new Waiter();
