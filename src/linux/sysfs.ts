/**
 * sysfs of a network namespace. /sys shows the devices of the namespace it was mounted in, so another namespace's are read
 * through a mount of its own, which is never attached to the tree and goes with its descriptor (fsopen(2), Linux 5.2).
 */
import { check } from "./errno.ts";
import { Fd } from "./fd.ts";
import { fsconfig, fsmount, fsopen } from "./ffi.ts";
import type { Netns } from "./netns.ts";

const FSOPEN_CLOEXEC = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;

/** A mounted sysfs. Dispose to unmount it. */
export class Sysfs implements Disposable {
  readonly #fd: Fd | undefined;

  private constructor(fd: Fd | undefined) {
    this.#fd = fd;
  }

  /** The sysfs of a namespace, /sys itself when left out. @throws SystemError */
  static open(ns?: Netns): Sysfs {
    if (!ns) return new Sysfs(undefined);
    return ns.run(() => {
      using context = new Fd(check("fsopen sysfs", fsopen("sysfs", FSOPEN_CLOEXEC)));
      check("fsconfig sysfs", fsconfig(context.number, FSCONFIG_CMD_CREATE, null, null, 0));
      return new Sysfs(new Fd(check("fsmount sysfs", fsmount(context.number, FSMOUNT_CLOEXEC, 0))));
    });
  }

  /** Where it can be read. */
  get path(): string {
    return this.#fd ? `/proc/self/fd/${this.#fd.number}` : "/sys";
  }

  [Symbol.dispose](): void {
    this.#fd?.[Symbol.dispose]();
  }
}
