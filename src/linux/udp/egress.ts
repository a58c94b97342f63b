/** Sockets that copies leave by, opened with privileges for a process without: their options are set once and for all. */
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, connect, setsockopt, socket } from "../ffi.ts";
import { attachFilter, NOTHING } from "../packet/socket-filter.ts";
import { AF, familyOf, inetAddress, linkAddress } from "./sockaddr.ts";

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_BINDTODEVICE = 25;
const SO_SNDBUFFORCE = 32;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
const IP_MULTICAST_IF = 32;
const IP_MULTICAST_TTL = 33;
const IP_MULTICAST_LOOP = 34;
const IPPROTO_IPV6 = 41;
const IPV6_UNICAST_HOPS = 16;
const IPV6_MULTICAST_IF = 17;
const IPV6_MULTICAST_HOPS = 18;
const IPV6_MULTICAST_LOOP = 19;
const IPV6_MTU_DISCOVER = 23;
const IPV6_TCLASS = 67;
const PMTUDISC_DONT = 0;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
/** What may wait in a qdisc or a card, bytes. */
const SEND_BUFFER = 4 * 2 ** 20;

/** Where copies go, and how. */
export interface EgressTarget {
  readonly device: string;
  readonly ifindex: number;
  /** Group or host, 4 or 16 bytes. */
  readonly group: Uint8Array;
  /** 0: each packet's own, named with it. */
  readonly port: number;
  /** 4 or 16 bytes; undefined: each packet's own, which {@link openRawEgress} keeps. */
  readonly source?: Uint8Array;
  /** 1 to 255. */
  readonly ttl: number;
  /** 0 to 63; undefined: each packet's own, said with it. */
  readonly dscp?: number;
}

function configure(fd: number, { device, ifindex, group, ttl, dscp }: EgressTarget): void {
  const set = (what: string, level: number, name: number, value: NodeJS.ArrayBufferView): void =>
    void check(what, setsockopt(fd, level, name, value, value.byteLength));
  set(`SO_BINDTODEVICE ${device}`, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`));
  set("SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(SEND_BUFFER));
  // Whoever answers the copies is not heard, and takes no memory.
  attachFilter(fd, NOTHING);
  if (familyOf(group) === 4) {
    // struct ip_mreqn: group, local address, s32 ifindex.
    set("IP_MULTICAST_IF", IPPROTO_IP, IP_MULTICAST_IF, Int32Array.of(0, 0, ifindex));
    set("IP_MULTICAST_TTL", IPPROTO_IP, IP_MULTICAST_TTL, Int32Array.of(ttl));
    set("IP_TTL", IPPROTO_IP, IP_TTL, Int32Array.of(ttl));
    // Reports of small MTUs on the way would fail copies that have nothing to do with it.
    set("IP_MTU_DISCOVER", IPPROTO_IP, IP_MTU_DISCOVER, Int32Array.of(PMTUDISC_DONT));
    set("IP_MULTICAST_LOOP", IPPROTO_IP, IP_MULTICAST_LOOP, Int32Array.of(0));
    if (dscp !== undefined) set("IP_TOS", IPPROTO_IP, IP_TOS, Int32Array.of(dscp << 2));
  } else {
    set("IPV6_MULTICAST_IF", IPPROTO_IPV6, IPV6_MULTICAST_IF, Int32Array.of(ifindex));
    set("IPV6_MULTICAST_HOPS", IPPROTO_IPV6, IPV6_MULTICAST_HOPS, Int32Array.of(ttl));
    set("IPV6_UNICAST_HOPS", IPPROTO_IPV6, IPV6_UNICAST_HOPS, Int32Array.of(ttl));
    set("IPV6_MTU_DISCOVER", IPPROTO_IPV6, IPV6_MTU_DISCOVER, Int32Array.of(PMTUDISC_DONT));
    set("IPV6_MULTICAST_LOOP", IPPROTO_IPV6, IPV6_MULTICAST_LOOP, Int32Array.of(0));
    if (dscp !== undefined) set("IPV6_TCLASS", IPPROTO_IPV6, IPV6_TCLASS, Int32Array.of(dscp << 2));
  }
}

/**
 * Opens a UDP socket that sends by one interface from one address: connected, unless the port is each packet's own. In this
 * thread's namespace.
 *
 * @throws SystemError ENODEV, EADDRNOTAVAIL when the source is not this host's, ENETUNREACH ...
 */
export function openEgress({ output }: { readonly output: EgressTarget }): Fd {
  const { group, port, source, ifindex, device } = output;
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket UDP", socket(AF[familyOf(group)], SOCK_DGRAM | SOCK_CLOEXEC, 0))));
  configure(fd.number, output);
  if (source) {
    const address = inetAddress(source, 0, ifindex);
    check(`bind on ${device}`, bind(fd.number, address, address.length));
  }
  if (port !== 0) {
    const address = inetAddress(group, port, ifindex);
    check(`connect on ${device}`, connect(fd.number, address, address.length));
  }
  owned.move();
  return fd;
}

/**
 * Opens a packet socket that sends frames by one interface, each behind a virtio_net_hdr that says which checksum the kernel
 * shall complete; it takes none in. In this thread's namespace.
 *
 * @throws SystemError EPERM without CAP_NET_RAW, ENODEV ...
 */
export function openRawEgress({ output }: { readonly output: EgressTarget }): Fd {
  const { ifindex, group, device } = output;
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))));
  const set = (what: string, level: number, name: number, value: Int32Array): void =>
    void check(what, setsockopt(fd.number, level, name, value, 4));
  set("PACKET_VNET_HDR", SOL_PACKET, PACKET_VNET_HDR, Int32Array.of(1));
  set("SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(SEND_BUFFER));
  const address = linkAddress(familyOf(group), ifindex);
  // Protocol 0: it receives nothing.
  address.writeUInt16BE(0, 2);
  check(`bind to ${device}`, bind(fd.number, address, address.length));
  owned.move();
  return fd;
}
