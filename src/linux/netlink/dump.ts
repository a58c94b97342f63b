/** What the kernel holds: qdiscs, classes and filters of an interface. */
import type { Handle } from "../../core/tc/handle.ts";
import { RTM } from "./message.ts";
import type { RtnlSocket } from "./socket.ts";
import { type ClassRecord, decodeClass } from "./tc/class.ts";
import { decodeFilter, type FilterRecord } from "./tc/filter.ts";
import { decodeQdisc, type QdiscDetails, type QdiscRecord } from "./tc/qdisc.ts";
import { ifindexOf, tcmsg } from "./tc/tcmsg.ts";

export { dumpLinks } from "./link.ts";

/**
 * The qdiscs of an interface, or of all of the namespace when `ifindex` is 0. The kernel always lists those of all
 * interfaces; other interfaces' are passed over undecoded.
 *
 * @throws RtnlError
 */
export function dumpQdiscs(socket: RtnlSocket, ifindex: number, details?: QdiscDetails): QdiscRecord[] {
  return socket.dump(RTM.GETQDISC, tcmsg(ifindex), (message) =>
    ifindex === 0 || ifindexOf(message) === ifindex ? decodeQdisc(message, details) : undefined,
  );
}

/**
 * The HTB classes of an interface; with `parent`, the handle of an HTB, only that HTB's. Pass it whenever it is known:
 * the kernel then goes to that qdisc at once instead of asking every leaf qdisc for classes, which is ten times as fast
 * with 50,000 leaves.
 *
 * @throws RtnlError
 */
export function dumpClasses(socket: RtnlSocket, ifindex: number, parent?: Handle): ClassRecord[] {
  return socket.dump(RTM.GETTCLASS, tcmsg(ifindex, parent), decodeClass);
}

/** The filters on one hook (TC_EGRESS, TC_INGRESS) or qdisc of an interface. @throws RtnlError */
export function dumpFilters(socket: RtnlSocket, ifindex: number, parent: Handle): FilterRecord[] {
  return socket.dump(RTM.GETTFILTER, tcmsg(ifindex, parent), decodeFilter);
}
