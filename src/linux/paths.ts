/** Where things live (FHS), all of it movable with SLUICE_ROOT so that tests and demos run beside a live system. */
import { join } from "node:path";

/** The folders and files of one installation. */
export interface Paths {
  /** `/etc/sluice/sluice.toml` */
  readonly config: string;
  /** `/var/lib/sluice/state.db` */
  readonly state: string;
  /** Held while the kernel is being changed: `/run/sluice/lock` */
  readonly lock: string;
  /** Where the daemon listens: `/run/sluice/sluice.sock` */
  readonly socket: string;
  /** What the bakery writes in file mode: `/var/lib/sluice/bakery.txt` */
  readonly bakery: string;
  /** BPF pins: `/sys/fs/bpf/sluice`, on a bpffs */
  readonly pins: string;
  /** Images that were pulled: `/var/cache/sluice/images` */
  readonly images: string;
}

/** The paths below a root; `SLUICE_ROOT` or `/` by default. */
export function pathsBelow(root = process.env["SLUICE_ROOT"] || "/"): Paths {
  return {
    config: join(root, "etc/sluice/sluice.toml"),
    state: join(root, "var/lib/sluice/state.db"),
    lock: join(root, "run/sluice/lock"),
    socket: join(root, "run/sluice/sluice.sock"),
    bakery: join(root, "var/lib/sluice/bakery.txt"),
    pins: join(root, "sys/fs/bpf/sluice"),
    images: join(root, "var/cache/sluice/images"),
  };
}
