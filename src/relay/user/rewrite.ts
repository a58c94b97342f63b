/** Headers of packets that are sent on as they are but for their destination: changed where they lie. */
import type { Batch } from "./batch.ts";
import type { PlaneOutput } from "../model.ts";
import type { Output } from "./active-rule.ts";

const NEEDS_CSUM = 1;
const GSO_UDP_L4 = 5;
const UDP = 17;
const VNET = 10;
const ETHERNET_TYPE = { 4: 0x0800, 6: 0x86dd } as const;
const NO_MAC = new Uint8Array(6);

/** Adds 16-bit words of an even number of bytes to a sum. */
function sumOf(view: DataView, from: number, bytes: number, start: number): number {
  let sum = start;
  for (let at = from; at < from + bytes; at += 2) sum += view.getUint16(at);
  return sum;
}

function fold(sum: number): number {
  const once = (sum & 0xffff) + (sum >>> 16);
  return (once & 0xffff) + (once >>> 16);
}

/**
 * Points a packet at an output. Its UDP checksum is left to the kernel, or the card, which completes it over whatever the
 * payload is: only the sum of the pseudo header is written.
 *
 * @param at its number in the batch
 */
export function rewrite(batch: Batch, at: number, { target, before }: Output): void {
  const view = batch.views[batch.view[at]!]!;
  const ip = batch.ip[at]!;
  const headers = batch.headers[at]!;
  const payload = batch.payload[at]!;
  const udp = ip + headers - 8;
  const { group, ttl, dscp } = target;
  const tos = dscp === undefined ? batch.tos[at]! : (dscp << 2) | (batch.tos[at]! & 3);
  let sum = UDP + 8 + payload;
  if (group.length === 4) {
    view.setUint8(ip + 1, tos);
    view.setUint16(ip + 2, headers + payload);
    view.setUint8(ip + 8, ttl);
    for (let i = 0; i < 4; i += 1) view.setUint8(ip + 16 + i, group[i]!);
    view.setUint16(ip + 10, 0);
    view.setUint16(ip + 10, ~fold(sumOf(view, ip, headers - 8, 0)));
    sum = sumOf(view, ip + 12, 8, sum);
  } else {
    view.setUint16(ip, (view.getUint16(ip) & 0xf00f) | (tos << 4));
    view.setUint16(ip + 4, headers - 40 + payload);
    view.setUint8(ip + 7, ttl);
    for (let i = 0; i < 16; i += 1) view.setUint8(ip + 24 + i, group[i]!);
    sum = sumOf(view, ip + 8, 32, sum);
  }
  view.setUint16(udp + 2, target.port === 0 ? batch.port[at]! : target.port);
  view.setUint16(udp + 4, 8 + payload);
  view.setUint16(udp + 6, fold(sum));
  const link = before - VNET;
  if (link > 0) ethernet(view, ip - link, target);
  // struct virtio_net_hdr: u8 flags, u8 gso_type, u16 hdr_len, gso_size, csum_start, csum_offset, of this machine's order.
  const many = batch.segments[at]! > 1;
  const vnet = ip - before;
  view.setUint8(vnet, NEEDS_CSUM);
  view.setUint8(vnet + 1, many ? GSO_UDP_L4 : 0);
  view.setUint16(vnet + 2, link + headers, true);
  view.setUint16(vnet + 4, many ? batch.segment[at]! : 0, true);
  view.setUint16(vnet + 6, link + headers - 8, true);
  view.setUint16(vnet + 8, 6, true);
}

/** Writes an Ethernet header. */
function ethernet(view: DataView, at: number, { group, mac = NO_MAC, ownMac = NO_MAC }: PlaneOutput): void {
  for (let i = 0; i < 6; i += 1) {
    view.setUint8(at + i, mac[i]!);
    view.setUint8(at + 6 + i, ownMac[i]!);
  }
  view.setUint16(at + 12, ETHERNET_TYPE[group.length === 4 ? 4 : 6]);
}
