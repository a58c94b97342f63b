/** How a ring of frames that the kernel fills and a process reads lies in memory (packet_mmap). Pure. */

/** `throughput`: variable frames in blocks, handed over when full or old (TPACKET_V3). `latency`: one by one (TPACKET_V2). */
export type RingMode = "throughput" | "latency";

/** What a reader must know of a ring to read it. Plain data. */
export interface RingLayout {
  readonly mode: RingMode;
  /** Whether it is of frames with a VLAN tag. */
  readonly tagged: boolean;
  /** Whether frames begin with the IP header. */
  readonly bare: boolean;
  readonly blockBytes: number;
  readonly blockCount: number;
  /** Room for one frame with its header; of no meaning to `throughput`. */
  readonly frameBytes: number;
  /** Whether aggregates of datagrams say how long each of them is. */
  readonly aggregates: boolean;
}

/** What is said of a ring's size. */
export interface RingSize {
  readonly mode: RingMode;
  /** Of all of it; rounded down to whole blocks, two at least. */
  readonly bytes: number;
  /** Of the interface. Default 1500. Larger frames reach a `latency` ring too, but by a copy more. */
  readonly mtu?: number;
  /** Frames with a VLAN tag. */
  readonly tagged?: boolean;
  /** The interface has no Ethernet header: a tunnel. */
  readonly bare?: boolean;
  /** The kernel can say how long the datagrams of an aggregate are. Default true. */
  readonly aggregates?: boolean;
}

/** Contiguous memory of the kernel: as large as it gives without trouble on a machine that has run for a while. */
const BLOCK = 2 ** 18;
/** Before the IP header of a frame: the kernel's header of the frame and its address, virtio_net_hdr, Ethernet. */
const BEFORE_IP = 128;

/** The layout for a size. */
export function ringLayout(size: RingSize): RingLayout {
  const { mode, bytes, mtu = 1500, tagged = false, bare = false, aggregates = true } = size;
  const frame = 2 ** Math.ceil(Math.log2(mtu + BEFORE_IP));
  return {
    mode,
    tagged,
    bare,
    blockBytes: BLOCK,
    blockCount: Math.max(2, Math.floor(bytes / BLOCK)),
    frameBytes: Math.min(Math.max(frame, 2048), 16_384),
    aggregates,
  };
}
