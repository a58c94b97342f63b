/** Datagrams taken in by recvmmsg(2), of each the beginning, its length, and when it came. */
import { ERRNO, SystemError } from "../errno.ts";
import { errno, recvmmsg } from "../ffi.ts";
import { Arena } from "../packet/arena.ts";

/** Most datagrams of a call. */
const MOST = 128;
const MSG_DONTWAIT = 0x40;
/** Lengths are told whole, though the rest of the bytes is not copied; checksums are looked at all the same. */
const MSG_TRUNC = 0x20;
/** struct mmsghdr, struct iovec, one struct cmsghdr with a struct timespec. */
const HEADER = 64;
const VECTOR = 16;
const CONTROL = 32;
const BEGINNING = 64;
const VECTORS_AT = MOST * HEADER;
const CONTROLS_AT = VECTORS_AT + MOST * VECTOR;
const BYTES_AT = CONTROLS_AT + MOST * CONTROL;
const SIZE = Math.ceil((BYTES_AT + MOST * BEGINNING) / 4096) * 4096;

/** Room for datagrams that come, used again for each call. */
export class Reception implements Disposable {
  readonly #arena = Arena.own(SIZE);
  /** What the datagrams begin with is in it. */
  readonly view = new DataView(this.#arena.buffer);

  constructor() {
    const address = BigInt(this.#arena.address);
    for (let index = 0; index < MOST; index += 1) {
      const vector = VECTORS_AT + index * VECTOR;
      const header = index * HEADER;
      this.view.setBigUint64(vector, address + BigInt(BYTES_AT + index * BEGINNING), true);
      this.view.setBigUint64(vector + 8, BigInt(BEGINNING), true);
      this.view.setBigUint64(header + 16, address + BigInt(vector), true);
      this.view.setBigUint64(header + 24, 1n, true);
      this.view.setBigUint64(header + 32, address + BigInt(CONTROLS_AT + index * CONTROL), true);
    }
  }

  /** Takes what is there, at most as much as there is room for: how many. @throws SystemError */
  take(fd: number): number {
    // The kernel has written how much of it was used.
    for (let index = 0; index < MOST; index += 1) this.view.setUint32(index * HEADER + 40, CONTROL, true);
    const count = recvmmsg(fd, this.#arena.address, MOST, MSG_DONTWAIT | MSG_TRUNC, null);
    if (count >= 0) return count;
    const error = errno();
    if (error === ERRNO.EAGAIN || error === ERRNO.EINTR) return 0;
    throw new SystemError("recvmmsg", error);
  }

  /** Where in {@link view} a datagram begins. At most 64 bytes of it are there. */
  at(index: number): number {
    return BYTES_AT + index * BEGINNING;
  }

  /** How long it was, bytes. */
  length(index: number): number {
    return this.view.getUint32(index * HEADER + 56, true);
  }

  /** When it came, by CLOCK_REALTIME. @returns zeros when the kernel did not say */
  time(index: number): { readonly seconds: number; readonly nanoseconds: number } {
    if (this.view.getUint32(index * HEADER + 40, true) < CONTROL) return { seconds: 0, nanoseconds: 0 };
    const stamp = CONTROLS_AT + index * CONTROL + 16;
    return { seconds: this.view.getUint32(stamp, true), nanoseconds: this.view.getUint32(stamp + 8, true) };
  }

  [Symbol.dispose](): void {
    this.#arena[Symbol.dispose]();
  }
}
