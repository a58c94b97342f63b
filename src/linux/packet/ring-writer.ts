/**
 * The writing end of a `throughput` ring, as the kernel's: for a process that reads frames of its own making, to try what
 * it would do with them.
 */
import { SharedMemory } from "../shared-memory.ts";
import { ringLayout, type RingLayout } from "./ring-layout.ts";

const STATUS_KERNEL = 0;
const STATUS_USER = 1;
/** struct tpacket_block_desc: u32 status @8, packets @12, offset of the first @16. */
const BLOCK_HEADER = 48;
/** From a frame's struct tpacket3_hdr to the frame itself; struct virtio_net_hdr is right before that. */
const BEFORE = 96;
const VNET = 10;
const GSO_UDP_L4 = 5;
const ALIGNMENT = 16;

/** A frame to write. */
export interface WrittenFrame {
  readonly bytes: Uint8Array;
  /** Bytes of each UDP payload in an aggregate. Default 0: it is none. */
  readonly segment?: number;
}

/** A ring in memory of this process. */
export class RingWriter implements Disposable {
  readonly layout: RingLayout;
  readonly #memory: SharedMemory;
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #words: Int32Array;
  #block = 0;

  /** @param bytes of all of it @throws SystemError */
  constructor(bytes: number) {
    this.layout = ringLayout({ mode: "throughput", bytes });
    const { blockBytes, blockCount } = this.layout;
    this.#memory = SharedMemory.create("ring", (blockBytes * blockCount) / Float64Array.BYTES_PER_ELEMENT);
    const { buffer } = this.#memory.numbers;
    this.#view = new DataView(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Int32Array(buffer);
  }

  /** What a reader is opened on; stays this ring's. */
  get fd(): number {
    return this.#memory.fd;
  }

  /** Writes frames from one on into the next block and hands it over. @returns how many; 0 when the reader has not given it back */
  write(frames: readonly WrittenFrame[], from: number): number {
    const { blockBytes, blockCount } = this.layout;
    const start = this.#block * blockBytes;
    const status = (start + 8) >>> 2;
    if (Atomics.load(this.#words, status) !== STATUS_KERNEL) return 0;
    let at = start + BLOCK_HEADER;
    let index = from;
    for (; index < frames.length; index += 1) {
      const { bytes, segment = 0 } = frames[index]!;
      const size = Math.ceil((BEFORE + bytes.length) / ALIGNMENT) * ALIGNMENT;
      if (at + size > start + blockBytes) break;
      this.#frame(at, size, bytes, segment);
      at += size;
    }
    this.#words[status + 1] = index - from;
    this.#words[status + 2] = BLOCK_HEADER;
    Atomics.store(this.#words, status, STATUS_USER);
    this.#block = (this.#block + 1) % blockCount;
    return index - from;
  }

  /** struct tpacket3_hdr: u32 next @0, snaplen @12, len @16, status @20, u16 mac @24. */
  #frame(at: number, size: number, bytes: Uint8Array, segment: number): void {
    const words = at >>> 2;
    this.#words[words] = size;
    this.#words[words + 3] = bytes.length;
    this.#words[words + 4] = bytes.length;
    this.#words[words + 5] = STATUS_USER;
    this.#words[words + 6] = BEFORE;
    this.#view.setUint8(at + BEFORE - VNET + 1, segment > 0 ? GSO_UDP_L4 : 0);
    this.#view.setUint16(at + BEFORE - VNET + 4, segment, true);
    this.#bytes.set(bytes, at + BEFORE);
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
