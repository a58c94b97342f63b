/** What classes and their leaves have counted. */
import type { Handle } from "../core/tc/handle.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import { readClasses, readQdiscs } from "./fetch.ts";

/** A class's traffic. */
export interface ClassCounters {
  readonly bytes: number;
  readonly packets: number;
  /** Dropped by its leaf, tail drops and AQM alike. */
  readonly drops: number;
  /** Bytes waiting now. */
  readonly backlog: number;
  /** Packets sent at its own rate, and with what ancestors had left. */
  readonly lends: number;
  readonly borrows: number;
  /** Kind of the qdisc at its end; `none` for an inner class or the kernel's own fifo. */
  readonly leaf: string;
}

/** Counters by class id, per device name. */
export type Counters = ReadonlyMap<string, ReadonlyMap<Handle, ClassCounters>>;

/** Reads the counters of every class on these devices. */
export function readCounters(socket: RtnlSocket, devices: readonly LinkRecord[]): Counters {
  const made = readQdiscs(socket);
  return new Map(
    devices.map(({ name, ifindex }) => {
      const qdiscs = made.get(ifindex) ?? [];
      const leaves = new Map(qdiscs.map((record) => [record.at.parent, record]));
      const classes = readClasses(
        socket,
        ifindex,
        qdiscs.map(({ at }) => at),
      );
      const counted = classes.map(({ at, stats, htb }): [Handle, ClassCounters] => {
        const leaf = leaves.get(at.classid);
        const { bytes, packets } = stats;
        const { lends, borrows } = htb;
        const drops = leaf ? leaf.stats.drops : stats.drops;
        const kind = leaf ? leaf.at.qdisc.kind : "none";
        return [at.classid, { bytes, packets, drops, backlog: stats.backlog, lends, borrows, leaf: kind }];
      });
      return [name, new Map(counted)];
    }),
  );
}
