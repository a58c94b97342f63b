/**
 * Network namespaces. A namespace is held by a file descriptor; an anonymous one is gone with its last holder, also
 * after kill -9, so tests and demos that use them cannot leave anything behind.
 *
 * setns(2) moves one thread. {@link Netns.run} moves this thread, calls a synchronous function, and moves back: sockets
 * made and processes started inside stay there. It must never await in between.
 */
import { fstatSync, readdirSync, statSync } from "node:fs";
import { sluiceError } from "../core/errors.ts";
import { check, SystemError } from "./errno.ts";
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

  /** What tells it from every other one that lives: the inode number of its file. */
  get id(): number {
    return fstatSync(this.fd).ino;
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

/** Opens a namespace that the user named, by name or path. @throws SluiceError NETNS_MISSING when it is none */
export function openNetns(name: string): Netns {
  try {
    using owned = new DisposableStack();
    const ns = owned.use(Netns.open(name));
    // setns says EINVAL of a file that is no namespace.
    ns.run(() => undefined);
    owned.move();
    return ns;
  } catch (error) {
    const missing = error instanceof SystemError && ["ENOENT", "ENOTDIR", "EINVAL"].includes(error.code);
    if (missing) throw sluiceError("NETNS_MISSING", { name }, { cause: error });
    throw error;
  }
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

/**
 * Finds a namespace by its inode number: where it was last seen, then among those with a name, then those that some
 * process is in. Undefined when it is gone, or only held by descriptors and mounts that nobody can name.
 */
export function findNetns(id: number, path?: string): Netns | undefined {
  const places = function* (): Generator<string> {
    if (path !== undefined) yield path.includes("/") ? path : `/run/netns/${path}`;
    yield OWN;
    for (const name of listed("/run/netns")) yield `/run/netns/${name}`;
    for (const pid of listed("/proc")) if (/^\d+$/.test(pid)) yield `/proc/${pid}/ns/net`;
  };
  for (const place of places()) {
    if (inodeOf(place) !== id) continue;
    try {
      return Netns.open(place);
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // Gone between the two calls.
    }
  }
  return undefined;
}
