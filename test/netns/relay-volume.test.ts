/** Many packets: what comes out is what went in, to the packet and the byte, by either plane, over several hops, and under overload. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { RING_COUNTERS } from "../../src/relay/worker/cells.ts";
import { Capture } from "../helpers/capture.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { Volume } from "../helpers/relay-volume.ts";
import { joinedRelay, said, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

/** Of traffic over several hops. */
const SECONDS = Number(process.env["SLUICE_SOAK_SECONDS"] ?? 1);
/** Longest wait for what is told once a second, on a busy machine, ms. */
const PATIENCE = 20_000;
const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const FROM = { device: "src0", own: "10.0.0.2", group: IN, port: 5000 };
const TO = { device: "s1", group: OUT, port: 6000 };
const ENGINES = ["kernel", "user"] as const;

/** Bytes of Ethernet, IPv4 and UDP before a payload. */
const HEADERS = 42;

for (const engine of ENGINES) {
  test(`2, 3: 10, 1,000, 10,000 and a million packets are as many copies (${engine})`, async (t) => {
    await using lab = new WholeRelay();
    const rule = said({ group: IN, outputs: [{ interface: "o1", group: OUT, port: 6000 }], engine });
    await lab.set(rule);
    assert.equal(lab.view(rule.id).carriedBy, engine);
    await using volume = await Volume.open(lab.net.host, FROM, [TO]);
    let packets = 0;
    for (const count of [10, 1000, 10_000, 1_000_000]) {
      const start = performance.now();
      await volume.exact(count);
      packets += count;
      t.diagnostic(`${count} packets: ${(count / (performance.now() - start)).toFixed()} of them in a ms`);
      // Nothing else is counted: no errors.
      const counts = { packets, bytes: volume.size * packets };
      await eventually(() => assert.deepEqual(lab.counted(rule.id), [counts, counts]));
    }
  });

  test(`4: 105 MB arrive as they were sent, in their order (${engine})`, async () => {
    await using lab = new WholeRelay();
    await lab.set(said({ group: IN, outputs: [{ interface: "o1", group: OUT, port: 6000 }], engine }));
    using capture = new Capture("s1", lab.net.host);
    const [sent, came] = [createHash("sha256"), createHash("sha256")];
    // Other ones in each of ten bursts, and then again.
    const bursts = Array.from({ length: 10 }, () =>
      Array.from({ length: 500 }, () => relayFrame({ to: IN, payload: randomBytes(1400) })),
    );
    for (let burst = 0; burst < 150; burst += 1) {
      const frames = bursts[burst % bursts.length]!;
      for (const frame of frames) sent.update(frame.subarray(HEADERS));
      lab.net.send(frames);
      for (let left = frames.length; left > 0;) {
        const some = await eventually(() => {
          const seen = capture.take();
          assert.ok(seen.length > 0, `${left} of burst ${burst} are missing`);
          return seen;
        }, PATIENCE);
        for (const frame of some) came.update(frame.subarray(HEADERS));
        left -= some.length;
      }
    }
    assert.deepEqual(capture.take(), []);
    assert.equal(came.digest("hex"), sent.digest("hex"));
  });

  test(`39: 100,000 packets a second go over three hops, and each hop has all of them (${engine})`, async (t) => {
    await using lab = joinedRelay();
    const hops = [
      ["in0", "a0"],
      ["a1", "b0"],
      ["b1", "o1"],
    ] as const;
    const rules = hops.map(([from, to]) =>
      said({ id: from, interface: from, group: IN, outputs: [{ interface: to }], engine }),
    );
    await lab.set(...rules);
    for (const { id } of rules) assert.equal(lab.view(id).carriedBy, engine);
    await using volume = await Volume.open(lab.net.host, FROM, [{ ...TO, group: IN, port: 5000 }]);
    const packets = 100_000 * SECONDS;
    const rate = await volume.exact(packets, { rate: 100_000 });
    t.diagnostic(`${packets} packets, ${Math.round(rate)} a second`);
    const counts = { packets, bytes: packets * volume.size };
    for (const { id } of rules) await eventually(() => assert.deepEqual(lab.counted(id), [counts, counts], id));
  });

  test(`40: under overload every packet is somewhere, and rules can be changed (${engine})`, async (t) => {
    await using lab = new WholeRelay({}, { ringBytes: 2 ** 20 });
    // Copies that cost more than their packets.
    const copies = engine === "user" ? 48 : 12;
    const outputs = Array.from({ length: copies }, (_, i) => ({ interface: `o${1 + (i % 3)}`, group: `239.2.2.${i}` }));
    const rule = said({ group: IN, outputs, engine });
    await lab.set(rule);
    const [frame, other] = [relayFrame({ to: IN, payload: Buffer.alloc(200) }), said({ group: "239.1.1.2", outputs })];
    const before = taken(lab);
    const flood = await stream(lab.net.sender().fd, [frame]);
    for (let changes = 0; flood.sent() < 100_000; changes += 1) {
      await lab.set(...(changes % 2 === 0 ? [rule, other] : [rule]));
      await setImmediate();
    }
    await flood.stop();
    await eventually(() => {
      const [{ packets = 0, shed = 0 } = {}, ...sendings] = lab.counted(rule.id);
      const drops = ringDrops(lab);
      assert.equal(packets + drops, taken(lab) - before, "taken by the rule, or dropped by the ring");
      for (const { packets: sent = 0, sendErrors = 0 } of sendings) assert.equal(sent + sendErrors + shed, packets);
      if (engine === "user") assert.ok(drops > 0, "it was no overload");
      t.diagnostic(`${packets} of ${flood.sent()} packets taken, ${drops} dropped, ${shed} shed`);
    }, PATIENCE);
  });
}

/** Packets that the kernel has taken in at in0. */
function taken(lab: WholeRelay): number {
  const table = lab.net.router.run(() => readFileSync("/proc/thread-self/net/dev", "utf8"));
  return Number(/^\s*in0:\s*\d+\s+(\d+)/m.exec(table)![1]);
}

/** Packets that the ring of in0's worker had no room for. */
function ringDrops(lab: WholeRelay): number {
  const { cells, counters } = lab.relay.inputs()[0]!.workers[0]!;
  return counters[cells.ring + RING_COUNTERS.indexOf("drops")]!;
}
