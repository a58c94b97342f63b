/** Network interfaces (RTM_GETLINK). */
import { RTM } from "./message.ts";
import type { Attributes, Messages } from "./reader.ts";
import type { RtnlSocket } from "./socket.ts";
import { usedTxQueues } from "./tx-queues.ts";

/** struct ifinfomsg: u8 family, u8, u16 type, s32 index, u32 flags, u32 change. */
const IFINFOMSG_LENGTH = 16;
const IFLA = { ADDRESS: 1, IFNAME: 3, MTU: 4, QDISC: 6, LINKINFO: 18, NUM_TX_QUEUES: 31, XDP: 43 } as const;
const IFLA_XDP_PROG_ID = 4;
const IFLA_INFO_KIND = 1;
const IFF_UP = 1;

/** An interface as the kernel shows it. */
export interface LinkRecord {
  readonly ifindex: number;
  readonly name: string;
  readonly mtu: number;
  /** Administratively. */
  readonly up: boolean;
  /** Transmit queues in use. {@link decodeLink} knows only how many were allocated, {@link dumpLinks} asks the driver. */
  readonly txQueues: number;
  /** `veth`, `vlan`, `ifb`, ...; absent for hardware. */
  readonly kind?: string;
  /** ARPHRD_*: 1 Ethernet, 772 loopback. */
  readonly type: number;
  /** Kind of its root qdisc. */
  readonly qdisc: string;
  /** Link layer address, `02:00:00:00:00:01`; empty when it has none. */
  readonly address: string;
  /** The id of the XDP program that is attached. */
  readonly xdpProgramId?: number;
}

function kindIn(a: Attributes): string | undefined {
  while (a.next()) if (a.type === IFLA_INFO_KIND) return a.string();
  return undefined;
}

function xdpProgramIn(a: Attributes): number | undefined {
  while (a.next()) if (a.type === IFLA_XDP_PROG_ID) return a.u32();
  return undefined;
}

/** Reads the RTM_NEWLINK the cursor is at. */
function decodeLink(message: Messages): LinkRecord {
  let name = "";
  let mtu = 0;
  let txQueues = 1;
  let kind: string | undefined;
  let qdisc = "";
  let address = "";
  let xdpProgramId: number | undefined;
  const a = message.attributes(IFINFOMSG_LENGTH);
  while (a.next()) {
    switch (a.type) {
      case IFLA.ADDRESS:
        address = Array.from(a.bytes(), (byte) => byte.toString(16).padStart(2, "0")).join(":");
        break;
      case IFLA.IFNAME:
        name = a.string();
        break;
      case IFLA.MTU:
        mtu = a.u32();
        break;
      case IFLA.QDISC:
        qdisc = a.string();
        break;
      case IFLA.LINKINFO:
        kind = kindIn(a.nested());
        break;
      case IFLA.NUM_TX_QUEUES:
        txQueues = a.u32();
        break;
      case IFLA.XDP:
        xdpProgramId = xdpProgramIn(a.nested());
        break;
    }
  }
  const up = (message.u32(8) & IFF_UP) !== 0;
  const link = { ifindex: message.i32(4), name, mtu, up, txQueues, type: message.u16(2), qdisc, address };
  return { ...link, ...(kind !== undefined && { kind }), ...(xdpProgramId !== undefined && { xdpProgramId }) };
}

/** All interfaces of the socket's namespace. @throws RtnlError */
export function dumpLinks(socket: RtnlSocket): LinkRecord[] {
  const links = socket.dump(RTM.GETLINK, new Uint8Array(IFINFOMSG_LENGTH), decodeLink);
  return links.map((link) => ({ ...link, txQueues: usedTxQueues(socket.fd, link.name, link.txQueues) }));
}
