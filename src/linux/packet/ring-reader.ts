/** The reading end of a ring: no privilege is needed, and nothing is allocated for a frame. */
import { ERRNO } from "../errno.ts";
import type { Fd } from "../fd.ts";
import { errno, getsockname, getsockopt, recv } from "../ffi.ts";
import { Arena } from "./arena.ts";
import type { RingLayout } from "./ring-layout.ts";
import { RingCounts, type RingStatistics } from "./ring-statistics.ts";

const SOL_SOCKET = 1;
const SO_ERROR = 4;
const MSG_DONTWAIT = 0x40;
const STATUS_USER = 1;
const STATUS_COPY = 2;
const STATUS_VLAN_VALID = 1 << 4;
/** struct virtio_net_hdr, right before the frame. */
const VNET = 10;
const GSO_UDP_L4 = 5;
/** Most frames of a `latency` ring that are held at a time. */
const HELD = 256;
/** Room for the largest aggregate, with what stands before it. */
const LARGE = 66_560;
/** How many of them are held at a time. */
const LARGE_HELD = 15;
/** Bytes before each: a frame without a link layer is given one there. */
const LARGE_BEFORE = 32;
const LARGE_ROOM = LARGE_BEFORE + LARGE;

/**
 * A ring that is read: {@link begin} a batch, {@link next} for each frame of it, {@link release} when nothing of the batch
 * is needed any more. The fields describe the frame that `next` went to.
 */
export class RxRing implements Disposable {
  readonly fd: number;
  /** Whether it is of frames with a VLAN tag. */
  readonly tagged: boolean;
  /** Whether frames begin with the IP header, rather than with Ethernet's. */
  readonly bare: boolean;
  /** Where the frame is: at {@link at} in this. */
  view: DataView;
  /** Address of the view's first byte. */
  base: number;
  /** Of the frame's first byte. */
  at = 0;
  /** Bytes that are there. */
  captured = 0;
  /** Bytes that the frame had. */
  length = 0;
  /** Of a tag that the kernel took off the frame; 0 without one. */
  vlan = 0;
  /** Bytes of each UDP payload in an aggregate; 0: it is none. */
  segment = 0;
  readonly #owned: Fd | undefined;
  readonly #memory: Arena;
  readonly #ring: DataView;
  readonly #words: Int32Array;
  readonly #v3: boolean;
  readonly #aggregates: boolean;
  /** Blocks (V3) or frames (V2). */
  readonly #count: number;
  readonly #size: number;
  readonly #counts = new RingCounts();
  readonly #error = new Int32Array(1);
  readonly #length = new Uint32Array(1);
  #head = 0;
  #held = 0;
  #frame = 0;
  #left = 0;
  #large: Arena | undefined;
  #largeView: DataView | undefined;
  readonly #rooms: Uint8Array[] = [];
  #largeHeld = 0;

  /** @param fd of the socket; closed with this when it is an Fd. @throws SystemError */
  constructor(fd: Fd | number, layout: RingLayout) {
    const { mode, tagged, bare, blockBytes, blockCount, frameBytes } = layout;
    this.tagged = tagged;
    this.bare = bare;
    this.#owned = typeof fd === "number" ? undefined : fd;
    this.fd = typeof fd === "number" ? fd : fd.number;
    this.#v3 = mode === "throughput";
    this.#aggregates = layout.aggregates;
    this.#size = this.#v3 ? blockBytes : frameBytes;
    this.#count = this.#v3 ? blockCount : blockCount * (blockBytes / frameBytes);
    this.#memory = Arena.shared(this.fd, blockBytes * blockCount);
    this.#ring = new DataView(this.#memory.buffer);
    this.#words = new Int32Array(this.#memory.buffer);
    this.view = this.#ring;
    this.base = this.#memory.address;
  }

  /** It never holds more batches. */
  get mostBatches(): number {
    return this.#count;
  }

  /** Whether a batch is there. */
  begin(): boolean {
    const at = this.#head * this.#size;
    if (!this.#v3) return (Atomics.load(this.#words, at >>> 2) & STATUS_USER) !== 0;
    // struct tpacket_block_desc: u32 status @8, packets @12, offset of the first @16.
    if ((Atomics.load(this.#words, (at + 8) >>> 2) & STATUS_USER) === 0) return false;
    this.#left = this.#words[(at + 12) >>> 2]!;
    this.#frame = at + this.#words[(at + 16) >>> 2]!;
    return true;
  }

  /** Goes to the next frame of the batch; false when there is none. */
  next(): boolean {
    return this.#v3 ? this.#nextOfBlock() : this.#nextFrame();
  }

  /** struct tpacket3_hdr: u32 next @0, snaplen @12, len @16, status @20, u16 mac @24, u32 vlan_tci @32. */
  #nextOfBlock(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    const words = this.#words;
    const word = this.#frame >>> 2;
    this.captured = words[word + 3]!;
    this.length = words[word + 4]!;
    this.vlan = (words[word + 5]! & STATUS_VLAN_VALID) === 0 ? 0 : words[word + 8]! & 0xfff;
    this.at = this.#frame + (words[word + 6]! & 0xffff);
    this.#frame += words[word]!;
    this.#aggregate();
    return true;
  }

  /** struct tpacket2_hdr: u32 status @0, len @4, snaplen @8, u16 mac @12, u16 vlan_tci @24. */
  #nextFrame(): boolean {
    if (this.#held === HELD || this.#largeHeld === LARGE_HELD || this.#held === this.#count) return false;
    const words = this.#words;
    const at = this.#head * this.#size;
    const word = at >>> 2;
    const status = Atomics.load(words, word);
    if ((status & STATUS_USER) === 0) return false;
    this.length = words[word + 1]!;
    this.captured = words[word + 2]!;
    this.vlan = (status & STATUS_VLAN_VALID) === 0 ? 0 : words[word + 6]! & 0xfff;
    this.view = this.#ring;
    this.base = this.#memory.address;
    this.at = at + (words[word + 3]! & 0xffff);
    this.#held += 1;
    this.#head = this.#head + 1 === this.#count ? 0 : this.#head + 1;
    if ((status & STATUS_COPY) !== 0) this.#takeLarge();
    this.#aggregate();
    return true;
  }

  /** The frame did not fit its slot, and is queued as a whole. */
  #takeLarge(): void {
    this.#large ??= Arena.own(Math.ceil((LARGE_ROOM * LARGE_HELD) / 4096) * 4096);
    this.#largeView ??= new DataView(this.#large.buffer);
    const start = this.#largeHeld * LARGE_ROOM + LARGE_BEFORE;
    const room = (this.#rooms[this.#largeHeld] ??= new Uint8Array(this.#large.buffer, start, LARGE));
    const before = this.#aggregates ? 0 : VNET;
    const got = recv(this.fd, before === 0 ? room : room.subarray(before), LARGE - before, MSG_DONTWAIT);
    if (got + before < VNET) return;
    this.#largeHeld += 1;
    this.view = this.#largeView;
    this.base = this.#large.address;
    this.at = start + VNET;
    this.captured = got + before - VNET;
  }

  /** struct virtio_net_hdr: u8 gso_type @1, u16 gso_size @4. */
  #aggregate(): void {
    if (!this.#aggregates) {
      this.segment = 0;
      return;
    }
    const type = this.view.getUint8(this.at - VNET + 1);
    this.segment = type === GSO_UDP_L4 ? this.view.getUint16(this.at - VNET + 4, true) : 0;
  }

  /** Gives the batch back to the kernel. */
  release(): void {
    if (this.#v3) {
      Atomics.store(this.#words, (this.#head * this.#size + 8) >>> 2, 0);
      this.#head = this.#head + 1 === this.#count ? 0 : this.#head + 1;
      return;
    }
    let frame = this.#head - this.#held;
    if (frame < 0) frame += this.#count;
    for (; this.#held > 0; this.#held -= 1) {
      Atomics.store(this.#words, (frame * this.#size) >>> 2, 0);
      frame = frame + 1 === this.#count ? 0 : frame + 1;
    }
    this.#largeHeld = 0;
  }

  /** How full it is, as seen from where is read: 0; 1 from a half; 2 from four fifths on. */
  pressure(): 0 | 1 | 2 {
    if (!this.#waits(this.#count >>> 1)) return 0;
    return this.#waits(Math.floor(this.#count * 0.8)) ? 2 : 1;
  }

  #waits(ahead: number): boolean {
    const index = (this.#head + ahead) % this.#count;
    return (Atomics.load(this.#words, (index * this.#size + (this.#v3 ? 8 : 0)) >>> 2) & STATUS_USER) !== 0;
  }

  /** What the kernel did since this was last asked, for reading sets its counters to zero. @throws SystemError */
  statistics(): RingStatistics {
    return this.#counts.read(this.fd);
  }

  /**
   * What an error that poll(2) tells of means: that the interface is gone for good, or that it is down and the ring goes on
   * when it comes up.
   */
  failed(): "gone" | "down" {
    this.#length[0] = 4;
    getsockopt(this.fd, SOL_SOCKET, SO_ERROR, this.#error, this.#length);
    const address = new Int32Array(8);
    this.#length[0] = 32;
    // A socket whose interface was deleted is bound to none: s32 ifindex @4 of struct sockaddr_ll.
    if (getsockname(this.fd, address, this.#length) < 0) return errno() === ERRNO.EBADF ? "gone" : "down";
    return address[1]! <= 0 ? "gone" : "down";
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
    this.#large?.[Symbol.dispose]();
    this.#owned?.[Symbol.dispose]();
  }
}
