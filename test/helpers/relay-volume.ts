/**
 * Numbered datagrams from one of a host's interfaces to others, with a relay in between: at a pace, or as fast as they arrive,
 * and never more on their way than the kernel's queue between two ends of a link (netdev_max_backlog) has room for.
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { addressBytes } from "../../src/core/prefix.ts";
import { ifNameToIndex } from "../../src/linux/ffi.ts";
import { MembershipPool } from "../../src/linux/multicast/membership.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { openConnectedEgress } from "../../src/linux/udp/egress.ts";
import { type IngressPlace, openIngress } from "../../src/linux/udp/ingress.ts";
import { Messages } from "../../src/linux/udp/messages.ts";
import { Reception } from "../../src/linux/udp/reception.ts";
import { Arena } from "../../src/linux/packet/arena.ts";
import { Arrivals } from "../../src/relay/traffic/arrivals.ts";
import { Pacer } from "../../src/relay/traffic/pacer.ts";
import { readStamp, STAMP_BYTES, writeStream, writeTurn } from "../../src/relay/traffic/stamp.ts";
import type { Fd } from "../../src/linux/fd.ts";

/** Most copies on their way at a time. */
const WINDOW = 800;
/** Most of a call. */
const BATCH = 100;
/** Who hears nothing for so long has lost something, ms. */
const PATIENCE = 10_000;
const NOW = { seconds: 0, nanoseconds: 0 };

/** Where datagrams begin and end. */
export interface VolumePlace {
  readonly device: string;
  readonly group: string;
  readonly port: number;
}

/** Where they end, and how often each does. */
export interface VolumeEnd extends VolumePlace {
  /** Default 1. */
  readonly copies?: number;
}

/** How they go. */
export interface VolumePace {
  /** Packets a second, while the machine keeps up; as fast as they arrive when left out. */
  readonly rate?: number;
  /** Most copies on their way at a time. Default 800. */
  readonly window?: number;
}

/** An end with what came there. */
class Receiver {
  readonly copies: number;
  readonly #fd: Fd;
  readonly #reception: Reception;
  #arrivals = new Arrivals();
  /** Datagrams, each of the copies. */
  came = 0;

  constructor(fd: Fd, reception: Reception, copies: number) {
    this.#fd = fd;
    this.#reception = reception;
    this.copies = copies;
  }

  begin(): void {
    this.#arrivals = new Arrivals();
    this.came = 0;
  }

  /** @returns how many came */
  take(): number {
    const count = this.#reception.take(this.#fd.number);
    for (let i = 0; i < count; i += 1) {
      const length = this.#reception.length(i);
      const stamp = readStamp(this.#reception.view, this.#reception.at(i), length);
      this.#arrivals.add(stamp ?? assert.fail("a datagram of nobody's"), length, NOW);
    }
    this.came += count;
    return count;
  }

  exact(total: number, size: number): void {
    const { packets, bytes, lost, duplicates, stale } = this.#arrivals.figures();
    const wanted = { packets: total, bytes: total * size, lost: 0, duplicates: total * (this.copies - 1), stale: 0 };
    assert.deepEqual({ packets, bytes, lost, duplicates, stale }, wanted);
  }
}

/** A sender and receivers in a namespace. */
export class Volume implements AsyncDisposable {
  readonly #owned = new AsyncDisposableStack();
  readonly #sender: Fd;
  readonly #receivers: readonly Receiver[];
  readonly #messages = this.#owned.use(new Messages());
  readonly #reception = this.#owned.use(new Reception());
  readonly #arena: Arena;
  readonly #view: DataView;
  /** Bytes of each payload. */
  readonly size: number;

  private constructor(sender: Fd, ends: readonly { readonly fd: Fd; readonly copies: number }[], size: number) {
    this.#sender = this.#owned.use(sender);
    this.#receivers = ends.map(({ fd, copies }) => new Receiver(this.#owned.use(fd), this.#reception, copies));
    this.size = size;
    this.#arena = this.#owned.use(Arena.own(Math.ceil((BATCH * size) / 4096) * 4096));
    this.#view = new DataView(this.#arena.buffer);
  }

  /** @param own the address that it sends from @param size bytes of each payload */
  static async open(
    host: Netns,
    from: VolumePlace & { readonly own: string },
    to: readonly VolumeEnd[],
    size = STAMP_BYTES,
  ): Promise<Volume> {
    const place = ({ device, group, port }: VolumePlace): IngressPlace => {
      return { device, ifindex: host.run(() => ifNameToIndex(device)), group: addressBytes(group), port };
    };
    const output = { ...place(from), source: addressBytes(from.own), ttl: 1 };
    const volume = new Volume(
      host.run(() => openConnectedEgress(output)),
      to.map((end) => ({ fd: host.run(() => openIngress(place(end))), copies: end.copies ?? 1 })),
      size,
    );
    const memberships = volume.#owned.use(new MembershipPool(host));
    for (const end of to) await memberships.join(place(end));
    return volume;
  }

  /**
   * Sends so many; at each end all of them arrive, as often as they shall, and no more.
   *
   * @returns packets a second
   */
  async exact(total: number, { rate = Infinity, window = WINDOW }: VolumePace = {}): Promise<number> {
    for (let i = 0; i < BATCH; i += 1) writeStream(this.#view, i * this.size, { run: 1, stream: 0, total });
    for (const receiver of this.#receivers) receiver.begin();
    const copies = this.#receivers.reduce((sum, receiver) => sum + receiver.copies, 0);
    const pacer = new Pacer(rate);
    const begin = performance.now();
    let came = 0;
    for (let last = begin; came < total * copies && performance.now() - last < PATIENCE;) {
      const room = Math.floor((window - pacer.sent * copies + came) / copies);
      const paced = pacer.due((performance.now() - begin) / 1000, BATCH);
      const due = Math.min(paced, total - pacer.sent, room);
      if (due > 0) this.#send(pacer.sent, due);
      pacer.went(Math.max(due, 0));
      const count = this.#take();
      came += count;
      if (count > 0) last = performance.now();
      else if (due <= 0) await setImmediate();
    }
    const seconds = (performance.now() - begin) / 1000;
    // A copy too many comes a little later.
    await setImmediate();
    this.#take();
    for (const receiver of this.#receivers) receiver.exact(total, this.size);
    return total / seconds;
  }

  #take(): number {
    return this.#receivers.reduce((sum, receiver) => sum + receiver.take(), 0);
  }

  #send(first: number, count: number): void {
    const messages = this.#messages;
    messages.clear();
    for (let i = 0; i < count; i += 1) {
      writeTurn(this.#view, i * this.size, first + i, NOW);
      messages.open(i);
      messages.add(this.#arena.address + i * this.size, this.size, 1, this.size);
      messages.close(0, 4, 0);
    }
    messages.unnamed();
    messages.keepTos(false);
    assert.equal(messages.send(this.#sender.number, 0), count);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#owned[Symbol.asyncDispose]();
  }
}
