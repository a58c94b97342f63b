/** Memory at an address that stays, for structures that tell the kernel where other memory is. */
import { SystemError } from "../errno.ts";
import { errno, mmap, munmap, viewMemory } from "../ffi.ts";

const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
/** All pages are there from the start: none is missed in the middle of a packet. */
const MAP_POPULATE = 0x8000;

/** A mapping of anonymous memory, or of a descriptor. After it was disposed of, {@link buffer} has length 0. */
export class Arena implements Disposable {
  /** Where it is; exact, for addresses have 47 bits. */
  readonly address: number;
  readonly buffer: ArrayBuffer;

  private constructor(address: bigint, bytes: number) {
    this.address = Number(address);
    this.buffer = viewMemory(address, bytes);
  }

  /** Maps memory of this process's own, zeros at first. @param bytes a multiple of 4096. @throws SystemError */
  static own(bytes: number): Arena {
    return Arena.#map(bytes, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1);
  }

  /** Maps what a descriptor shares. @throws SystemError */
  static shared(fd: number, bytes: number): Arena {
    const MAP_SHARED = 1;
    return Arena.#map(bytes, MAP_SHARED | MAP_POPULATE, fd);
  }

  static #map(bytes: number, flags: number, fd: number): Arena {
    const address = mmap(bytes, PROT_READ | PROT_WRITE, flags, fd);
    if (address === -1n) throw new SystemError("mmap", errno());
    return new Arena(address, bytes);
  }

  [Symbol.dispose](): void {
    const bytes = this.buffer.byteLength;
    if (bytes === 0) return;
    // Detached first: who still holds a view finds it empty, rather than memory that is not there.
    this.buffer.transfer(0);
    munmap(BigInt(this.address), bytes);
  }
}
