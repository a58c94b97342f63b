/** Addresses of interfaces (RTM_GETADDR). */
import { addressText } from "../../core/prefix.ts";
import { RTM } from "./message.ts";
import type { Messages } from "./reader.ts";
import type { RtnlSocket } from "./socket.ts";

/** struct ifaddrmsg: u8 family, u8 prefix length, u8 flags, u8 scope, u32 index. */
const IFADDRMSG_LENGTH = 8;
const IFA = { ADDRESS: 1, LOCAL: 2, FLAGS: 8 } as const;
const AF_INET = 2;
const AF_INET6 = 10;
/** Not usable yet, or not any more: duplicate detection runs or has failed. */
const IFA_F_DADFAILED = 0x08;
const IFA_F_TENTATIVE = 0x40;
/** Second and later ones of a subnet. */
const IFA_F_SECONDARY = 0x01;
const SCOPE_LINK = 253;

/** An address that packets can be sent from. */
export interface AddressRecord {
  readonly ifindex: number;
  readonly family: 4 | 6;
  /** In its usual form. */
  readonly address: string;
  readonly prefixLength: number;
  /** Valid on its link only (`fe80::`). */
  readonly linkLocal: boolean;
  /** Not the first one of its subnet. */
  readonly secondary: boolean;
}

function decodeAddress(message: Messages): AddressRecord | undefined {
  const family = message.u8(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  let flags = message.u8(2);
  let local: Uint8Array | undefined;
  let address: Uint8Array | undefined;
  const a = message.attributes(IFADDRMSG_LENGTH);
  while (a.next()) {
    if (a.type === IFA.LOCAL) local = a.bytes();
    else if (a.type === IFA.ADDRESS) address = a.bytes();
    else if (a.type === IFA.FLAGS) flags = a.u32();
  }
  // On point-to-point links IFA_ADDRESS is the peer's.
  const own = local ?? address;
  if (!own || (flags & (IFA_F_DADFAILED | IFA_F_TENTATIVE)) !== 0) return undefined;
  return {
    ifindex: message.i32(4),
    family: family === AF_INET ? 4 : 6,
    address: addressText(own),
    prefixLength: message.u8(1),
    linkLocal: message.u8(3) === SCOPE_LINK,
    secondary: family === AF_INET && (flags & IFA_F_SECONDARY) !== 0,
  };
}

/** All addresses of the socket's namespace that can be used now, in the kernel's order. @throws RtnlError */
export const dumpAddresses = (socket: RtnlSocket): AddressRecord[] =>
  socket.dump(RTM.GETADDR, new Uint8Array(IFADDRMSG_LENGTH), decodeAddress);
