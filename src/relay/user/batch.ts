/** Packets that wait to be sent, in the memory they came in: numbers in columns, joined to a chain for each rule. */
import type { Packet } from "./packet.ts";

/** Most packets of a batch. */
export const MOST_PACKETS = 4096;

/** One batch of one ring. */
export class Batch {
  count = 0;
  /** The packet after this one of the same rule; -1: it is the last. Along a chain numbers rise. */
  readonly next = new Int32Array(MOST_PACKETS);
  /** Where the memory begins that the packet is in. */
  readonly base = new Float64Array(MOST_PACKETS);
  /** Whether it is in the second of two memories of a ring. */
  readonly views: DataView[] = [];
  readonly view = new Uint8Array(MOST_PACKETS);
  /** Where its IP header begins. */
  readonly ip = new Uint32Array(MOST_PACKETS);
  /** Bytes of its headers, from the IP header's first to the UDP header's last. */
  readonly headers = new Uint16Array(MOST_PACKETS);
  /** Bytes of payload after them. */
  readonly payload = new Uint32Array(MOST_PACKETS);
  readonly segment = new Uint16Array(MOST_PACKETS);
  readonly segments = new Uint16Array(MOST_PACKETS);
  readonly port = new Uint16Array(MOST_PACKETS);
  readonly tos = new Uint8Array(MOST_PACKETS);

  /** Adds a packet: its number. */
  add(packet: Packet, view: DataView, base: number): number {
    const at = this.count;
    this.count = at + 1;
    this.next[at] = -1;
    this.base[at] = base;
    let index = this.views.indexOf(view);
    if (index < 0) index = this.views.push(view) - 1;
    this.view[at] = index;
    this.ip[at] = packet.ipAt;
    this.headers[at] = packet.udpAt + 8 - packet.ipAt;
    this.payload[at] = packet.payload;
    this.segment[at] = packet.segment;
    this.segments[at] = packet.segments;
    this.port[at] = packet.port;
    this.tos[at] = packet.tos;
    return at;
  }

  /** Address of a packet's payload. */
  address(at: number): number {
    return this.base[at]! + this.ip[at]! + this.headers[at]!;
  }

  /** Begins anew. */
  clear(): void {
    this.count = 0;
    this.views.length = 0;
  }
}
