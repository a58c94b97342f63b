/** Who is at the other end of a Unix socket, by the kernel's word. */
import type { Socket } from "node:net";
import { check } from "./errno.ts";
import { copyMemory, getgrnam, getsockopt } from "./ffi.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const SO_PEERGROUPS = 59;
const MOST_GROUPS = 65_536;

/** A process as it was when it connected. */
export interface Peer {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** All of its groups. */
  readonly groups: readonly number[];
}

/** The descriptor of a connection; Node tells it in this way only. */
function descriptorOf(socket: Socket): number {
  const { _handle: handle } = socket as unknown as { readonly _handle?: { readonly fd: number } };
  return handle?.fd ?? -1;
}

/** Asks the kernel. @throws SystemError when the connection is gone */
export function peerOf(socket: Socket): Peer {
  const fd = descriptorOf(socket);
  const credentials = Buffer.alloc(12);
  check("getsockopt SO_PEERCRED", getsockopt(fd, SOL_SOCKET, SO_PEERCRED, credentials, Uint32Array.of(12)));
  const length = Uint32Array.of(0);
  // Too short on purpose: the kernel answers ERANGE and how much it would be.
  getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, null, length);
  const groups = new Uint32Array(Math.min(length[0]! / 4, MOST_GROUPS));
  if (groups.length > 0) check("getsockopt SO_PEERGROUPS", getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, length));
  return {
    pid: credentials.readInt32LE(0),
    uid: credentials.readUInt32LE(4),
    gid: credentials.readUInt32LE(8),
    groups: [...groups],
  };
}

/** The number of a group; undefined when there is none of that name. */
export function groupId(name: string): number | undefined {
  const address = BigInt(getgrnam(name));
  // struct group: two pointers, then the number.
  return address === 0n ? undefined : copyMemory(address + 16n, 4).readUInt32LE(0);
}
