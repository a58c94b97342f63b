/** Memory that two processes see: a nameless file (memfd), of a size that nobody can change, mapped as numbers. */
import { fstatSync } from "node:fs";
import { check, SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { errno, fcntl, ftruncate, memfdCreate, mmap, munmap, viewMemory } from "./ffi.ts";

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;

/** A mapping. After it was disposed of, {@link numbers} has length 0. */
export class SharedMemory implements Disposable {
  readonly #fd: Fd;
  readonly #address: bigint;
  readonly #buffer: ArrayBuffer;
  /** What is in it; zeros at first. */
  readonly numbers: Float64Array;

  private constructor(fd: Fd, count: number) {
    this.#fd = fd;
    const bytes = count * Float64Array.BYTES_PER_ELEMENT;
    this.#address = mmap(bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd.number);
    if (this.#address === -1n) throw new SystemError("mmap", errno());
    this.#buffer = viewMemory(this.#address, bytes);
    this.numbers = new Float64Array(this.#buffer);
  }

  /** Makes one for so many numbers, named for those who look at the process's files. @throws SystemError */
  static create(name: string, count: number): SharedMemory {
    using owned = new DisposableStack();
    const fd = owned.use(new Fd(check("memfd_create", memfdCreate(name, MFD_CLOEXEC | MFD_ALLOW_SEALING))));
    check("ftruncate", ftruncate(fd.number, count * Float64Array.BYTES_PER_ELEMENT));
    // Who maps a file that shrinks is killed for reading what is no longer there.
    check("fcntl F_ADD_SEALS", fcntl(fd.number, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL));
    const memory = new SharedMemory(fd, count);
    owned.move();
    return memory;
  }

  /** Maps one that was inherited, as large as it was made. @param fd from now on this object's. @throws SystemError, TypeError when it may shrink, RangeError */
  static open(fd: Fd, count: number): SharedMemory {
    using owned = new DisposableStack();
    owned.use(fd);
    if ((check("fcntl F_GET_SEALS", fcntl(fd.number, F_GET_SEALS, 0)) & F_SEAL_SHRINK) === 0)
      throw new TypeError("Cannot use memory that may shrink");
    const { size } = fstatSync(fd.number);
    const wanted = count * Float64Array.BYTES_PER_ELEMENT;
    if (size < wanted) throw new RangeError(`Cannot map memory of ${size} bytes, wanted ${wanted}`);
    const memory = new SharedMemory(fd, count);
    owned.move();
    return memory;
  }

  /** The descriptor, to hand on. */
  get fd(): number {
    return this.#fd.number;
  }

  [Symbol.dispose](): void {
    if (!this.#fd.isOpen) return;
    const bytes = this.#buffer.byteLength;
    // Detached first: who still holds the array finds it empty, rather than memory that is not there.
    this.#buffer.transfer(0);
    munmap(this.#address, bytes);
    this.#fd[Symbol.dispose]();
  }
}
