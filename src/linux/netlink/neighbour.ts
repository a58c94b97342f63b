/** Neighbours (RTM_GETNEIGH): which hardware address a host on a link has. */
import { addressText } from "../../core/prefix.ts";
import { RTM } from "./message.ts";
import type { Messages } from "./reader.ts";
import type { RtnlSocket } from "./socket.ts";

/** struct ndmsg: u8 family, 3 bytes, s32 index, u16 state, u8 flags, u8 type. */
const NDMSG_LENGTH = 12;
const NDA = { DST: 1, LLADDR: 2 } as const;
/** REACHABLE, STALE, DELAY, PROBE, NOARP and PERMANENT: the address is known. */
const VALID = 0x02 | 0x04 | 0x08 | 0x10 | 0x40 | 0x80;
const MAC_LENGTH = 6;

/** A neighbour whose address is known. */
export interface NeighbourRecord {
  readonly ifindex: number;
  /** IP address in its usual form. */
  readonly address: string;
  /** 6 bytes. */
  readonly mac: Uint8Array;
}

function decodeNeighbour(message: Messages): NeighbourRecord | undefined {
  if ((message.u16(8) & VALID) === 0) return undefined;
  let address: string | undefined;
  let mac: Uint8Array | undefined;
  const a = message.attributes(NDMSG_LENGTH);
  while (a.next()) {
    if (a.type === NDA.DST && (a.length === 4 || a.length === 16)) address = addressText(a.bytes());
    else if (a.type === NDA.LLADDR && a.length === MAC_LENGTH) mac = a.bytes();
  }
  return address === undefined || !mac ? undefined : { ifindex: message.i32(4), address, mac };
}

/** All neighbours of the socket's namespace that can be reached as far as the kernel knows. @throws RtnlError */
export const dumpNeighbours = (socket: RtnlSocket): NeighbourRecord[] =>
  socket.dump(RTM.GETNEIGH, new Uint8Array(NDMSG_LENGTH), decodeNeighbour);
