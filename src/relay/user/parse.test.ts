import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { REASONS } from "../model.ts";
import { relayFrame } from "../../../test/helpers/relay-frame.ts";
import { Packet } from "./packet.ts";
import { type Frame, parse } from "./parse.ts";

/** What a frame comes to: a reason, or the fields of a datagram. */
type Outcome =
  | string
  | {
      readonly family: number;
      readonly vlan: number;
      readonly port: number;
      readonly tos: number;
      readonly ip: number;
      readonly payload: string;
      readonly segment: number;
      readonly segments: number;
      readonly from: string;
      readonly to: string;
    };

interface Around {
  readonly vlan?: number;
  readonly segment?: number;
  readonly bare?: boolean;
  /** Bytes that are not there of the end. */
  readonly cut?: number;
}

/** Parses a frame that lies amid other bytes, with a view that fails for whatever is read outside of it. */
function outcome(bytes: Buffer, { vlan = 0, segment = 0, bare = false, cut = 0 }: Around = {}): Outcome {
  const before = 6;
  const memory = Buffer.concat([Buffer.alloc(before, 0x45), bytes, Buffer.alloc(64, 0x45)]);
  const captured = Math.max(0, bytes.length - cut);
  const whole = new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const inside = (at: number, size: number): void =>
    assert.ok(at >= before && at + size <= before + captured, `read ${size} at ${at - before} of ${captured}`);
  const view = {
    getUint8: (at: number) => (inside(at, 1), whole.getUint8(at)),
    getUint16: (at: number) => (inside(at, 2), whole.getUint16(at)),
    getUint32: (at: number) => (inside(at, 4), whole.getUint32(at)),
    getInt32: (at: number) => (inside(at, 4), whole.getInt32(at)),
  } as unknown as DataView;
  const frame: Frame = { view, at: before, captured, length: bytes.length, vlan, bare, segment };
  const packet = new Packet();
  // What was there of another packet must not show.
  Object.assign(packet, { vlan: 99, tos: 99, port: 99, segments: 99, payload: 99 });
  if (!parse(frame, packet)) return REASONS[packet.reason]!;
  const words = packet.family === 4 ? 1 : 4;
  const text = (address: Int32Array) =>
    [...address.subarray(0, words)].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  const start = packet.udpAt + 8;
  return {
    family: packet.family,
    vlan: packet.vlan,
    port: packet.port,
    tos: packet.tos,
    ip: packet.ipAt - before,
    payload: memory.toString("hex", start, start + packet.payload),
    segment: packet.segment,
    segments: packet.segments,
    from: text(packet.source),
    to: text(packet.destination),
  };
}

/** The same, slowly and plainly, with bytes that are cut off as they are read. */
function slowly(bytes: Buffer, { vlan = 0, segment = 0, cut = 0 }: Around = {}): Outcome {
  const frame = bytes.subarray(0, Math.max(0, bytes.length - cut));
  if (frame.length < 14) return "truncated";
  let type = frame.toString("hex", 12, 14);
  let rest = frame.subarray(14);
  let tag = vlan;
  if (type === "8100" || type === "88a8") {
    if (vlan !== 0) return "notIp";
    if (rest.length < 4) return "truncated";
    tag = rest.readUInt16BE(0) & 4095;
    type = rest.toString("hex", 2, 4);
    rest = rest.subarray(4);
  }
  const ip = frame.length - rest.length;
  const finish = (family: 4 | 6, tos: number, from: Buffer, to: Buffer, udp: Buffer, said: number): Outcome => {
    if (said < 8) return "badLength";
    if (udp.length < 8) return "truncated";
    const length = udp.readUInt16BE(4);
    if (length < 8 || length > said) return "badLength";
    if (udp.length < length) return "truncated";
    const payload = udp.subarray(8, length);
    const parts = [];
    if (segment > 0) for (let at = 0; at < payload.length; at += segment) parts.push(at);
    const many = parts.length > 1;
    if (parts.length > 128 && many) return "badLength";
    return {
      family,
      vlan: tag,
      port: udp.readUInt16BE(2),
      tos,
      ip,
      payload: payload.toString("hex"),
      segment: many ? segment : payload.length,
      segments: many ? parts.length : 1,
      from: from.toString("hex"),
      to: to.toString("hex"),
    };
  };
  if (type === "0800") {
    if (rest.length < 20) return "truncated";
    const [version, words] = [rest[0]! >> 4, rest[0]! & 15];
    if (version !== 4 || words < 5) return "badHeader";
    const header = rest.subarray(0, 4 * words);
    if (header.length < 4 * words) return "truncated";
    let sum = 0;
    for (let at = 0; at < header.length; at += 2) sum += header.readUInt16BE(at);
    while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
    if (sum !== 0xffff) return "badChecksum";
    const total = header.readUInt16BE(2);
    if (total < header.length) return "badLength";
    if (header[9] !== 17) return "notUdp";
    if (header.readUInt16BE(6) % 0x4000 !== 0) return "fragment";
    const said = total - header.length;
    return finish(4, header[1]!, header.subarray(12, 16), header.subarray(16, 20), rest.subarray(header.length), said);
  }
  if (type !== "86dd") return "notIp";
  if (rest.length < 40) return "truncated";
  if (rest[0]! >> 4 !== 6) return "badHeader";
  const tos = (rest.readUInt16BE(0) >> 4) & 255;
  const [from, to] = [rest.subarray(8, 24), rest.subarray(24, 40)];
  let said = rest.readUInt16BE(4);
  let next = rest[6]!;
  rest = rest.subarray(40);
  for (let extensions = 0; next !== 17; extensions += 1) {
    if (next === 44) return "fragment";
    if (![0, 43, 60].includes(next)) return "notUdp";
    if (extensions === 8) return "badHeader";
    if (said < 8) return "badLength";
    if (rest.length < 8) return "truncated";
    const length = 8 * (1 + rest[1]!);
    if (said < length) return "badLength";
    if (rest.length < length) return "truncated";
    next = rest[0]!;
    rest = rest.subarray(length);
    said -= length;
  }
  return finish(6, tos, from, to, rest, said);
}

const GOOD = { from: "c000024d", to: "ef010101", payload: Buffer.from("payload").toString("hex") };
const GROUP = "239.1.1.1";

test("a datagram is read, with its VLAN, its options and its padding", () => {
  const plain = { family: 4, vlan: 0, port: 5000, tos: 184, ip: 14, segment: 7, segments: 1, ...GOOD };
  assert.deepEqual(outcome(relayFrame({ to: GROUP, tos: 184, padding: 20 })), plain);
  assert.deepEqual(outcome(relayFrame({ to: GROUP, tos: 184 }), { vlan: 9 }), { ...plain, vlan: 9 });
  assert.deepEqual(outcome(relayFrame({ to: GROUP, tos: 184, vlan: 0xe009 })), { ...plain, vlan: 9, ip: 18 });
  assert.deepEqual(outcome(relayFrame({ to: GROUP, tos: 184, options: Buffer.alloc(40, 1) })), plain);
});

test("an IPv6 datagram is read, behind extension headers too", () => {
  const read = outcome(relayFrame({ to: "ff0e::1", tos: 0x48 }));
  assert.ok(typeof read === "object");
  assert.deepEqual([read.family, read.tos, read.port, read.payload], [6, 0x48, 5000, GOOD.payload]);
  assert.equal(read.to, `ff0e${"0".repeat(27)}1`);
  const extension = (next: number, length = 0) =>
    Buffer.concat([Buffer.of(next, length), Buffer.alloc(6 + 8 * length)]);
  const with3 = Buffer.concat([extension(60), extension(43, 2), extension(17)]);
  assert.deepEqual(outcome(relayFrame({ to: "ff0e::1", tos: 0x48, next: 0, options: with3 })), read);
  const with9 = Buffer.concat([...Array.from({ length: 8 }, () => extension(60)), extension(17)]);
  assert.equal(outcome(relayFrame({ to: "ff0e::1", next: 60, options: with9 })), "badHeader");
  assert.equal(outcome(relayFrame({ to: "ff0e::1", next: 44, options: extension(17) })), "fragment");
  assert.equal(outcome(relayFrame({ to: "ff0e::1", next: 58 })), "notUdp");
});

test("what has no Ethernet header is read by its version", () => {
  for (const to of [GROUP, "ff0e::1"]) {
    const whole = outcome(relayFrame({ to }));
    assert.ok(typeof whole === "object");
    assert.deepEqual(outcome(relayFrame({ to }).subarray(14), { bare: true }), { ...whole, ip: 0 });
  }
  assert.equal(outcome(Buffer.alloc(0), { bare: true }), "truncated");
  assert.equal(outcome(Buffer.of(0x50), { bare: true }), "notIp");
});

test("9, 10, 11: every way to be wrong has its reason", () => {
  const cases: readonly (readonly [Outcome, Buffer, Around?])[] = [
    ["truncated", Buffer.alloc(13)],
    ["notIp", relayFrame({ to: GROUP }).fill(0xff, 12, 14)],
    ["notIp", relayFrame({ to: GROUP, vlan: 5, tagType: 0x88a8 }), { vlan: 7 }],
    ["truncated", relayFrame({ to: GROUP, vlan: 5 }).subarray(0, 16)],
    ["truncated", relayFrame({ to: GROUP }).subarray(0, 33)],
    ["badHeader", relayFrame({ to: GROUP }).fill(0x55, 14, 15)],
    ["badHeader", relayFrame({ to: GROUP }).fill(0x44, 14, 15)],
    ["truncated", relayFrame({ to: GROUP }).fill(0x4f, 14, 15).subarray(0, 60)],
    ["badChecksum", relayFrame({ to: GROUP, checksumOff: 0x100 })],
    ["badLength", relayFrame({ to: GROUP, ipLength: 19 })],
    ["notUdp", relayFrame({ to: GROUP, protocol: 6, fragment: 0x2000 })],
    ["fragment", relayFrame({ to: GROUP, fragment: 0x2000 })],
    ["fragment", relayFrame({ to: GROUP, fragment: 1 })],
    ["badLength", relayFrame({ to: GROUP, ipLength: 27 })],
    ["badLength", relayFrame({ to: GROUP, udpLength: 7 })],
    ["badLength", relayFrame({ to: GROUP, udpLength: 16 })],
    ["truncated", relayFrame({ to: GROUP }), { cut: 1 }],
    ["badLength", relayFrame({ to: GROUP, payload: Buffer.alloc(129) }), { segment: 1 }],
  ];
  for (const [wanted, frame, around] of cases) assert.equal(outcome(frame, around), wanted, frame.toString("hex"));
  assert.ok(typeof outcome(relayFrame({ to: GROUP, fragment: 0x4000 })) === "object", "DF is no fragment");
});

test("an aggregate says how many datagrams it is", () => {
  const counts = (size: number, segment: number) => {
    const read = outcome(relayFrame({ to: GROUP, payload: Buffer.alloc(size) }), { segment });
    assert.ok(typeof read === "object");
    return [read.segment, read.segments];
  };
  assert.deepEqual(
    [counts(100, 40), counts(80, 40), counts(40, 40), counts(39, 40), counts(0, 40)],
    [
      [40, 3],
      [40, 2],
      [40, 1],
      [39, 1],
      [0, 1],
    ],
  );
});

const around = fc.record({
  vlan: fc.constantFrom(0, 0, 7),
  segment: fc.constantFrom(0, 0, 1, 20, 1400),
  cut: fc.constantFrom(0, 0, 0, 1, 5, 40),
});

test("10: whatever bytes come, nothing outside of them is read, and the slow reader says the same", () => {
  const types = ["0800", "86dd", "8100", "0806"].map((type) => Buffer.from(type, "hex"));
  const random = fc
    .tuple(fc.constantFrom(...types), fc.constantFrom(0x45, 0x46, 0x4f, 0x60), fc.uint8Array({ maxLength: 120 }))
    .map(([type, first, bytes]) => Buffer.concat([Buffer.alloc(12), type, Buffer.of(first), bytes]));
  const any = fc.oneof(
    random,
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(any, around, (bytes, how) => assert.deepEqual(outcome(bytes, how), slowly(bytes, how))),
    { numRuns: 3000 },
  );
});

test("good frames that were changed here and there are read as the slow reader reads them", () => {
  const good = fc.record({
    to: fc.constantFrom(GROUP, "ff0e::1"),
    payload: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    options: fc.constantFrom(Buffer.alloc(0), Buffer.from("1100010400000000", "hex")),
    next: fc.constantFrom(17, 0, 43, 60),
    padding: fc.integer({ min: 0, max: 9 }),
    checksumOff: fc.constantFrom(0, 0, 0, 1),
  });
  const change = fc.tuple(fc.nat(90), fc.nat(255));
  fc.assert(
    fc.property(good, fc.array(change, { maxLength: 3 }), around, (fields, changes, how) => {
      const bytes = relayFrame(fields);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      // Most changes spoil the checksum; half of them shall show what else they do.
      if (changes.length === 2 && bytes.length > 34 && fields.to === GROUP) mend(bytes);
      assert.deepEqual(outcome(bytes, how), slowly(bytes, how));
    }),
    { numRuns: 3000 },
  );
});

/** Makes the checksum of an IPv4 header right again. */
function mend(bytes: Buffer): void {
  const end = Math.min(14 + 4 * (bytes[14]! & 15), bytes.length & ~1);
  bytes.writeUInt16BE(0, 24);
  let sum = 0;
  for (let at = 14; at + 2 <= end; at += 2) sum += bytes.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  bytes.writeUInt16BE(~sum & 0xffff, 24);
}
