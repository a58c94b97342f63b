/**
 * Frames without copies into this process: a packet socket with a ring (packet(7), `Documentation/networking/packet_mmap`)
 * that is opened with privileges and read without any, by whoever has inherited its descriptor.
 */
import { check } from "../errno.ts";
import { Fd } from "../fd.ts";
import { kernelAtLeast } from "../features.ts";
import { bind, setsockopt, socket } from "../ffi.ts";
import { attachCutting } from "./cutting-filter.ts";
import { type RingLayout, ringLayout, type RingSize } from "./ring-layout.ts";
import { attachFilter, frameFilter, NOTHING, type SocketFilter } from "./socket-filter.ts";

export { RxRing } from "./ring-reader.ts";
export { type RingLayout, ringLayout, type RingMode } from "./ring-layout.ts";

const AF_PACKET = 17;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;
const PACKET_COPY_THRESH = 7;
const PACKET_VERSION = 10;
const PACKET_RESERVE = 12;
const PACKET_VNET_HDR = 15;
const PACKET_FANOUT = 18;
const PACKET_IGNORE_OUTGOING = 23;
const TPACKET_V2 = 1;
const TPACKET_V3 = 2;
const ETH_P_ALL = 0x0003;
const ETH_P_IP = 0x0800;
const ETH_P_IPV6 = 0x86dd;
const FANOUT_HASH = 0;
const FANOUT_CPU = 2;
/** Of frames that do not fit a slot, bytes. */
const QUEUE = 4 * 2 ** 20;
/** Room for a virtio_net_hdr before each frame, whoever fills it in. */
const VNET = 10;
/** Moves the IP header, which that has moved, to a multiple of 4 again. */
const RESERVE = 6;
/** How old a block becomes before it is handed over half empty, ms. */
const RETIRE = 2;

/** What ring is wanted. */
export interface RingOptions extends RingSize {
  readonly ifindex: number;
  readonly family: 4 | 6;
  /** How old a block becomes before it is handed over half empty, ms. Default 2. */
  readonly retireMs?: number;
  /** Addresses of this host (4 or 16 bytes) of which packets are wanted too; those to groups are anyway. */
  readonly unicast?: readonly Uint8Array[];
  /** Which frames, instead of what {@link frameFilter} makes of the above. */
  readonly filter?: SocketFilter;
  /** Shares the frames with the other sockets of this number: by their flow, or by the processor that they came to. */
  readonly fanout?: { readonly id: number; readonly cpu?: boolean };
}

/**
 * Whether this kernel says how long the datagrams of an aggregate are, for {@link RingSize}: Linux 6.2 describes aggregates of UDP
 * by virtio_net_hdr. Before, it could not, and dropped them; but in a `throughput` ring it had counted them already, so that whatever
 * lay in their place was taken for a frame. Rings without that header are given one byte of each ({@link attachCutting}): its length
 * tells nothing, for ten short datagrams that were joined are no longer than a long one.
 */
export const knowsAggregates = (): boolean => kernelAtLeast("6.2");

function requestOf({ mode, blockBytes, blockCount, frameBytes }: RingLayout, retireMs: number): Uint32Array {
  const frames = (blockBytes / frameBytes) * blockCount;
  const request = [blockBytes, blockCount, frameBytes, frames];
  // struct tpacket_req, or tpacket_req3: retire_blk_tov, sizeof_priv, feature_req_word.
  return Uint32Array.from(mode === "throughput" ? [...request, retireMs, 0, 0] : request);
}

function setPacket(fd: Fd, what: string, name: number, value: Int32Array | Uint32Array): void {
  check(what, setsockopt(fd.number, SOL_PACKET, name, value, value.byteLength));
}

/**
 * Opens a ring of an interface in this thread's namespace, by which nothing comes until {@link startRing}. It gets what is
 * left over: frames that a program at the interface's ingress has taken do not come. Frames with a tag are the exception: the
 * tag is only there before any program saw the frame, so that a ring for these sees them all.
 *
 * @throws SystemError EPERM without CAP_NET_RAW, ENODEV, ENOMEM ...
 */
export function prepareRing(options: RingOptions): Fd {
  const { ifindex, family, mode, tagged = false, retireMs = RETIRE } = options;
  const layout = ringLayout(options);
  using owned = new DisposableStack();
  // Of no protocol until it is bound: nothing comes before everything is set.
  const fd = owned.use(new Fd(check("socket AF_PACKET", socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0))));
  setPacket(fd, "PACKET_VERSION", PACKET_VERSION, Int32Array.of(mode === "throughput" ? TPACKET_V3 : TPACKET_V2));
  // Aggregates of many datagrams say by this how long each of them is.
  if (layout.aggregates) setPacket(fd, "PACKET_VNET_HDR", PACKET_VNET_HDR, Int32Array.of(1));
  const reserve = layout.aggregates ? RESERVE : RESERVE + VNET;
  setPacket(fd, "PACKET_RESERVE", PACKET_RESERVE, Uint32Array.of(reserve));
  setPacket(fd, "PACKET_IGNORE_OUTGOING", PACKET_IGNORE_OUTGOING, Int32Array.of(1));
  // What does not fit a slot is queued as a whole besides.
  if (mode === "latency") {
    setPacket(fd, "PACKET_COPY_THRESH", PACKET_COPY_THRESH, Int32Array.of(1));
    check("SO_RCVBUFFORCE", setsockopt(fd.number, SOL_SOCKET, SO_RCVBUFFORCE, Int32Array.of(QUEUE), 4));
  }
  setPacket(fd, "PACKET_RX_RING", PACKET_RX_RING, requestOf(layout, retireMs));
  attachFilter(fd.number, NOTHING);
  // struct sockaddr_ll: u16 family, u16 protocol (network order), s32 ifindex, 12 bytes for addresses.
  const address = Buffer.alloc(20);
  address.writeUInt16LE(AF_PACKET, 0);
  const protocol = family === 4 ? ETH_P_IP : ETH_P_IPV6;
  address.writeUInt16BE(tagged ? ETH_P_ALL : protocol, 2);
  address.writeInt32LE(ifindex, 4);
  check(`bind to interface ${ifindex}`, bind(fd.number, address, address.length));
  owned.move();
  return fd;
}

/** Which frames come by a ring from now on, in place of those before: none is lost between the two. @throws SystemError, BpfLoadError */
export function admitFrames(fd: Fd, options: RingOptions): void {
  const { family, ifindex, tagged = false, bare = false, unicast = [], aggregates = true } = options;
  const filter = options.filter ?? frameFilter({ family, ifindex, tagged, bare, unicast });
  if (aggregates) attachFilter(fd.number, filter);
  else attachCutting(fd.number, filter);
}

/** Lets frames come by a ring that was prepared with the same options. @throws SystemError, BpfLoadError */
export function startRing(fd: Fd, options: RingOptions): void {
  const { fanout } = options;
  if (fanout) {
    const type = fanout.cpu ? FANOUT_CPU : FANOUT_HASH;
    setPacket(fd, "PACKET_FANOUT", PACKET_FANOUT, Int32Array.of(fanout.id | (type << 16)));
  }
  // Last, so that what comes before the sockets share is not taken twice.
  admitFrames(fd, options);
}

/** {@link prepareRing} and {@link startRing}. */
export function openRing(options: RingOptions): Fd {
  using owned = new DisposableStack();
  const fd = owned.use(prepareRing(options));
  startRing(fd, options);
  owned.move();
  return fd;
}
