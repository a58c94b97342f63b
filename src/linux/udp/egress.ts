/** Sockets that copies leave by, opened with privileges for a process without: their options are set once and for all. */
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { bind, connect, setsockopt, socket } from "../ffi.ts";
import { AF, familyOf, inetAddress, linkAddress } from "./sockaddr.ts";

const AF_PACKET = 17;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_BINDTODEVICE = 25;
const SO_SNDBUFFORCE = 32;
const IPPROTO_IP = 0;
const IP_TOS = 1;
const IP_TTL = 2;
const IP_MTU_DISCOVER = 10;
const IP_TRANSPARENT = 19;
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
const IPV6_TRANSPARENT = 75;
const PMTUDISC_DONT = 0;
const SOL_PACKET = 263;
const PACKET_VNET_HDR = 15;
/** What may wait in a qdisc or a card, bytes: of all that leaves by a socket, which may be much to many groups. */
const SEND_BUFFER = 32 * 2 ** 20;

/** How datagrams leave. */
export interface EgressWay {
  readonly device: string;
  readonly ifindex: number;
  readonly family: 4 | 6;
  /** 4 or 16 bytes; undefined: whatever the host would take. */
  readonly source?: Uint8Array;
  /** Whether the source need not be an address of this host, which wants CAP_NET_RAW. Default false. */
  readonly foreign?: boolean;
  /** 1 to 255. */
  readonly ttl: number;
  /** 0 to 63; undefined: said with each datagram. */
  readonly dscp?: number;
}

/** How datagrams leave, and where they go. */
export interface EgressTarget extends Omit<EgressWay, "family"> {
  /** Group or host, 4 or 16 bytes. */
  readonly group: Uint8Array;
  readonly port: number;
}

function configure(fd: number, { device, ifindex, family, ttl, dscp }: EgressWay): void {
  const set = (what: string, level: number, name: number, value: NodeJS.ArrayBufferView): void =>
    void check(what, setsockopt(fd, level, name, value, value.byteLength));
  set(`SO_BINDTODEVICE ${device}`, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${device}\0`));
  set("SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(SEND_BUFFER));
  // Whoever answers the copies is not heard, and takes next to no memory. A filter for nothing would cost the kernel more
  // than all the rest of a socket: it compiles one for each.
  set("SO_RCVBUF", SOL_SOCKET, SO_RCVBUF, Int32Array.of(0));
  if (family === 4) {
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
 * Opens a UDP socket that sends by one interface from one address, wherever each datagram says. In this thread's namespace.
 *
 * @throws SystemError ENODEV, EADDRNOTAVAIL when the source is not this host's and not `foreign` ...
 */
export function openEgress(way: EgressWay): Fd {
  const { family, source, foreign = false, ifindex, device } = way;
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket UDP", socket(AF[family], SOCK_DGRAM | SOCK_CLOEXEC, 0))));
  configure(fd.number, way);
  if (foreign) {
    const [level, name] = family === 4 ? [IPPROTO_IP, IP_TRANSPARENT] : [IPPROTO_IPV6, IPV6_TRANSPARENT];
    check("IP_TRANSPARENT", setsockopt(fd.number, level, name, Int32Array.of(1), 4));
  }
  if (source) {
    const address = inetAddress(source, 0, ifindex);
    check(`bind on ${device}`, bind(fd.number, address, address.length));
  }
  owned.move();
  return fd;
}

/** Opens one that sends to one place only. @throws SystemError as {@link openEgress}, and ENETUNREACH ... */
export function openConnectedEgress(target: EgressTarget): Fd {
  const { group, port, ifindex, device } = target;
  using owned = new DisposableStack();
  const fd = owned.use(openEgress({ ...target, family: familyOf(group) }));
  const address = inetAddress(group, port, ifindex);
  check(`connect on ${device}`, connect(fd.number, address, address.length));
  owned.move();
  return fd;
}

/**
 * Opens a packet socket that sends frames by one interface, each behind a virtio_net_hdr that says which checksum the kernel
 * shall complete; it takes none in. In this thread's namespace.
 *
 * @throws SystemError EPERM without CAP_NET_RAW, ENODEV ...
 */
export function openRawEgress({ ifindex, family, device }: Pick<EgressWay, "ifindex" | "family" | "device">): Fd {
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))));
  const set = (what: string, level: number, name: number, value: Int32Array): void =>
    void check(what, setsockopt(fd.number, level, name, value, 4));
  set("PACKET_VNET_HDR", SOL_PACKET, PACKET_VNET_HDR, Int32Array.of(1));
  set("SO_SNDBUFFORCE", SOL_SOCKET, SO_SNDBUFFORCE, Int32Array.of(SEND_BUFFER));
  const address = linkAddress(family, ifindex);
  // Protocol 0: it receives nothing.
  address.writeUInt16BE(0, 2);
  check(`bind to ${device}`, bind(fd.number, address, address.length));
  owned.move();
  return fd;
}
