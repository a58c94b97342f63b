/** File descriptors that close themselves: `using fd = Fd.open(path)`. */
import { readdirSync } from "node:fs";
import { check } from "./errno.ts";
import { close, fcntl, open } from "./ffi.ts";

const O_CLOEXEC = 0o2000000;
const F_DUPFD_CLOEXEC = 1030;

/** An owned file descriptor. Closing twice is harmless; using it after closing is an error. */
export class Fd implements Disposable {
  #number: number;

  constructor(number: number) {
    this.#number = number;
  }

  /** open(2) with O_CLOEXEC added; flags default to reading. @throws SystemError */
  static open(path: string, flags = 0): Fd {
    return new Fd(check(`open ${path}`, open(path, flags | O_CLOEXEC)));
  }

  /** A descriptor of its own for what another one refers to (dup, with O_CLOEXEC). @throws SystemError */
  static duplicate(number: number): Fd {
    return new Fd(check("fcntl F_DUPFD_CLOEXEC", fcntl(number, F_DUPFD_CLOEXEC, 0)));
  }

  /** Whether it is open. */
  get isOpen(): boolean {
    return this.#number >= 0;
  }

  /** The descriptor. @throws TypeError after it was closed */
  get number(): number {
    if (this.#number < 0) throw new TypeError("Cannot use a file descriptor that was closed");
    return this.#number;
  }

  /** Gives ownership to the caller. */
  release(): number {
    const number = this.number;
    this.#number = -1;
    return number;
  }

  [Symbol.dispose](): void {
    if (this.#number >= 0) close(this.#number);
    this.#number = -1;
  }
}

/** How many descriptors this process has open; the one that looks is not counted. */
export const openFiles = (): number => readdirSync("/proc/self/fd").length - 1;
