/**
 * Network namespaces. A namespace is held by a file descriptor; an anonymous one is gone with its last holder, also
 * after kill -9, so tests and demos that use them cannot leave anything behind.
 *
 * setns(2) moves one thread. {@link Netns.run} moves this thread, calls a synchronous function, and moves back: sockets
 * made and processes started inside stay there. It must never await in between.
 */
import { check } from "./errno.ts";
import { Fd } from "./fd.ts";
import { setns, unshare } from "./ffi.ts";

const CLONE_NEWNET = 0x40000000;
const OWN = "/proc/thread-self/ns/net";

/** A network namespace, held open until disposed. */
export class Netns implements Disposable {
  readonly #fd: Fd;

  private constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** The namespace this thread is in. */
  static current(): Netns {
    return new Netns(Fd.open(OWN));
  }

  /** Opens a namespace by name (`ip netns`) or by path (`/proc/123/ns/net`). @throws SystemError */
  static open(name: string): Netns {
    return new Netns(Fd.open(name.includes("/") ? name : `/run/netns/${name}`));
  }

  /** Makes a new, empty, nameless namespace. @throws SystemError without CAP_SYS_ADMIN */
  static create(): Netns {
    using home = Fd.open(OWN);
    check("unshare network namespace", unshare(CLONE_NEWNET));
    try {
      return new Netns(Fd.open(OWN));
    } finally {
      check("setns", setns(home.number, CLONE_NEWNET));
    }
  }

  /** The descriptor that holds it. */
  get fd(): number {
    return this.#fd.number;
  }

  /** A path by which other processes can enter it while this process holds it. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.fd}`;
  }

  /** Runs a synchronous function with this thread inside the namespace. */
  run<T>(body: () => T): T {
    using home = Fd.open(OWN);
    check("setns", setns(this.fd, CLONE_NEWNET));
    try {
      const result = body();
      if (result instanceof Promise)
        throw new TypeError("Cannot await inside Netns.run: the thread moves back when it returns");
      return result;
    } finally {
      check("setns", setns(home.number, CLONE_NEWNET));
    }
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
