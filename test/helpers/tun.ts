/** A TUN device: what the kernel sends by it is read here, IP packet by IP packet. */
import { existsSync, readSync } from "node:fs";
import { check } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { ioctl } from "../../src/linux/ffi.ts";
import type { Netns } from "../../src/linux/netns.ts";

const DEVICE = "/dev/net/tun";
const O_RDWR_NONBLOCK = 0o4002;
const TUNSETIFF = 0x4004_54ca;
const IFF_TUN_NO_PI = 0x1001;
const LARGEST = 65_536;

/** An open device; it is gone when this is disposed. */
export class Tun implements Disposable {
  readonly #fd: Fd;

  /** Takes over a descriptor. */
  constructor(fd: Fd) {
    this.#fd = fd;
  }

  /** The next packet; undefined when there is none. */
  read(): Buffer | undefined {
    const buffer = Buffer.alloc(LARGEST);
    try {
      return buffer.subarray(0, readSync(this.#fd.number, buffer));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** Makes one in a namespace, still down; undefined when the kernel has no such devices. */
export function openTun(ns: Netns, name: string): Tun | undefined {
  if (!existsSync(DEVICE)) return undefined;
  return ns.run(() => {
    const fd = Fd.open(DEVICE, O_RDWR_NONBLOCK);
    // struct ifreq: 16 bytes of name, u16 flags.
    const request = Buffer.alloc(40);
    request.write(name, "latin1");
    request.writeUInt16LE(IFF_TUN_NO_PI, 16);
    check("TUNSETIFF", ioctl(fd.number, TUNSETIFF, request));
    return new Tun(fd);
  });
}
