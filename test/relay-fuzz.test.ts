/**
 * Ten million packets that are nearly right, or not at all, through the whole path of the user plane: ring, parser, table,
 * sender. Nothing is read outside of a frame, and every packet is somewhere in the counters. SLUICE_FUZZ_SEED tries
 * another seed than those that are kept here, SLUICE_FUZZ_PACKETS another number with each.
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { test } from "node:test";
import { addressBytes } from "../src/core/prefix.ts";
import { check } from "../src/linux/errno.ts";
import { Fd } from "../src/linux/fd.ts";
import { connect, socket } from "../src/linux/ffi.ts";
import { RxRing } from "../src/linux/packet/ring.ts";
import { RingWriter, type WrittenFrame } from "../src/linux/packet/ring-writer.ts";
import { inetAddress } from "../src/linux/udp/sockaddr.ts";
import { COUNTERS, type PlaneRule, REASONS } from "../src/relay/model.ts";
import { Packet } from "../src/relay/user/packet.ts";
import { parse } from "../src/relay/user/parse.ts";
import { UserPlane } from "../src/relay/user/plane.ts";
import { cellsFor } from "../src/relay/worker/cells.ts";
import { relayFrame } from "./helpers/relay-frame.ts";

const SEEDS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89];
const PACKETS = Number(process.env["SLUICE_FUZZ_PACKETS"] ?? 1_000_000);
const own = process.env["SLUICE_FUZZ_SEED"];
const seeds = own === undefined ? SEEDS : [Number(own)];

const GROUP = "239.1.1.1";
const GROUP6 = "ff3e::1";
const PORT = 5000;
const AF_INET = 2;
const SOCK_DGRAM = 2;
const SLOTS = 4;
const LONGEST = 400;
const cells = cellsFor(SLOTS);

/** xorshift32 (Marsaglia, 2003): the same numbers everywhere, for a seed that is not 0. */
function random(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

/** Frames of every kind that the parser tells apart. */
const BASES = [
  relayFrame({ to: GROUP }),
  relayFrame({ to: GROUP, payload: Buffer.alloc(200) }),
  relayFrame({ to: GROUP, port: 1 }),
  relayFrame({ to: "239.9.9.9" }),
  relayFrame({ to: GROUP, vlan: 7 }),
  relayFrame({ to: GROUP, options: Buffer.from("0102030401010100", "hex") }),
  relayFrame({ to: GROUP, fragment: 0x2000 }),
  relayFrame({ to: GROUP, protocol: 6 }),
  relayFrame({ to: GROUP, payload: Buffer.alloc(0), padding: 18 }),
  relayFrame({ to: GROUP6 }),
  relayFrame({ to: GROUP6, next: 0, options: Buffer.from("1100010000000000", "hex") }),
  relayFrame({ to: GROUP6, next: 44, options: Buffer.from("1100000100000000", "hex") }),
  Buffer.concat([Buffer.alloc(12, 2), Buffer.from("0806", "hex"), Buffer.alloc(46)]),
];

/** One of them with up to four bytes changed, and cut or made longer now and then. */
function mutated(pick: (below: number) => number): Buffer {
  const base = BASES[pick(BASES.length)]!;
  const how = pick(8);
  const length =
    how === 0 ? pick(base.length + 1) : how === 1 ? Math.min(LONGEST, base.length + pick(64)) : base.length;
  const frame = Buffer.alloc(Math.max(length, 1));
  base.copy(frame);
  // Most of what can be wrong stands in the headers.
  for (let changes = pick(5); changes > 0; changes -= 1) frame[pick(Math.min(frame.length, 90))] = pick(256);
  return frame;
}

/** Reads the frame alone: whatever is read outside of it is an error of the view. */
function readsInside(frame: Buffer, packet: Packet): void {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const { length } = frame;
  parse({ view, at: 0, captured: length, length, vlan: 0, bare: length % 7 === 0, segment: length % 3 }, packet);
}

function ruleFor(id: string, group: string, slot: number): PlaneRule {
  const [bytes, source] = [addressBytes(group), addressBytes(group.includes(":") ? "::1" : "127.0.0.1")];
  const output = { slot: slot + 1, ifindex: 1, device: "lo", group: bytes, port: PORT, ttl: 1, mtu: 1500, source };
  return { id, slot, ifindex: 1, group: bytes, port: PORT, vlan: 0, class: "normal", cap: {}, outputs: [output] };
}

for (const seed of seeds)
  test(`${PACKETS.toLocaleString("en")} packets by seed ${seed}: no crash, and every one is counted`, async (t) => {
    using owned = new DisposableStack();
    // It takes what comes, and reads none of it.
    const sink = createSocket("udp4").bind(0, "127.0.0.1");
    await once(sink, "listening");
    owned.defer(() => sink.close());
    const fd = owned.use(new Fd(check("socket", socket(AF_INET, SOCK_DGRAM, 0)))).number;
    const to = inetAddress(addressBytes("127.0.0.1"), sink.address().port, 0);
    check("connect", connect(fd, to, to.length));

    const writer = owned.use(new RingWriter(2 ** 20));
    const ring = owned.use(new RxRing(writer.fd, writer.layout));
    const counters = new Float64Array(cells.length);
    const plane = owned.use(new UserPlane({ rings: [ring], counters, slots: SLOTS, clock: () => performance.now() }));
    plane.setRule(ruleFor("4", GROUP, 0), [{ fd, kind: "udp" }]);
    plane.setRule(ruleFor("6", GROUP6, 2), [{ fd, kind: "udp" }]);

    const pick = random(seed);
    const packet = new Packet();
    let written = 0;
    while (written < PACKETS) {
      const frames = Array.from({ length: Math.min(1024, PACKETS - written) }, (): WrittenFrame => ({
        bytes: mutated(pick),
      }));
      for (const [index, { bytes }] of frames.entries())
        try {
          readsInside(bytes as Buffer, packet);
        } catch (error) {
          assert.fail(
            `packet ${written + index} of seed ${seed}: ${String(error)}: ${Buffer.from(bytes).toString("hex")}`,
          );
        }
      for (let from = 0; from < frames.length;) {
        const took = writer.write(frames, from);
        if (took === 0) plane.turn(0, -1);
        from += took;
      }
      written += frames.length;
    }
    plane.turn(0, -1);

    const counter = (slot: number, name: (typeof COUNTERS)[number]): number =>
      counters[slot * COUNTERS.length + COUNTERS.indexOf(name)]!;
    const reasons = REASONS.map((_, index) => counters[cells.reasons + index]!);
    const taken = counter(0, "packets") + counter(2, "packets");
    const passedOver = reasons.reduce((sum, count) => sum + count, 0);
    assert.equal(taken + passedOver, written);
    assert.equal(counters[cells.taken], written);
    for (const slot of [0, 2]) {
      const left = counter(slot + 1, "packets") + counter(slot + 1, "sendErrors") + counter(slot + 1, "tooLarge");
      assert.equal(left + counter(slot, "shed"), counter(slot, "packets"));
    }
    // Each way to be wrong was gone, and enough was right.
    if (PACKETS >= 100_000)
      assert.deepEqual(
        REASONS.filter((_, index) => reasons[index] === 0),
        // No worker ended.
        ["unread"],
      );
    assert.ok(taken > written / 20, `${taken} of ${written} taken`);
    t.diagnostic(`${taken} taken; ${REASONS.map((name, index) => `${name} ${reasons[index]}`).join(", ")}`);
  });
