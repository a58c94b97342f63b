/** The user plane on the kernel, by the thousand: many packets, many copies, and more than it can do. Numbers are those of the cases. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { type LabPlane, numbered, RelayLab } from "../helpers/relay-lab.ts";

checkFds();

const MODES = ["throughput", "latency"] as const;
for (const mode of MODES) {
  test(`2, 36: a thousand packets are a thousand, each counted, by a ${mode} ring`, () => {
    using lab = new RelayLab();
    using plane = lab.plane({ mode });
    const [rule, output] = plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
    const receiver = lab.receiver("s1", "239.2.2.2", 6000);
    const sent = numbered(1000, 100);
    plane.pour(sent.map((payload) => relayFrame({ to: "239.1.1.1", payload })));
    plane.until(() => receiver.receive().length === 1000, "1000 packets");
    assert.deepEqual(receiver.payloads, sent);
    assert.equal(plane.count(rule, "packets"), 1000);
    assert.equal(plane.count(rule, "bytes"), 100_000);
    assert.equal(plane.count(output, "packets"), 1000);
    assert.equal(plane.count(output, "bytes"), 100_000);
    assert.deepEqual(plane.rings[0]!.statistics(), { packets: 1000, drops: 0, freezes: 0 });
    assert.deepEqual(plane.reasons, {});
  });
}

test("4: 7 MB arrive as they were sent, in their order", () => {
  using lab = new RelayLab();
  using plane = lab.plane();
  plane.rule({ group: "239.1.1.1", outputs: [{ group: "239.2.2.2" }] });
  const receiver = lab.receiver("s1", "239.2.2.2", 6000);
  const digest = (payloads: readonly Buffer[]) => createHash("sha256").update(Buffer.concat(payloads)).digest("hex");
  const sent = numbered(5000, 1400);
  plane.pour(sent.map((payload) => relayFrame({ to: "239.1.1.1", payload })));
  plane.until(() => receiver.receive().length === sent.length, "all of it");
  assert.equal(digest(receiver.payloads), digest(sent));
});

for (const [outputs, devices] of [
  [3, 3],
  [16, 4],
  [50, 5],
] as const) {
  test(`12, 13: one becomes ${outputs}, several of them by one interface`, () => {
    using lab = new RelayLab({ outputs: devices });
    using plane = lab.plane();
    const places = Array.from({ length: outputs }, (_, i) => ({
      device: `o${1 + (i % devices)}`,
      group: `239.2.2.${i}`,
    }));
    const slots = plane.rule({ group: "239.1.1.1", outputs: places });
    const captures = Array.from({ length: devices }, (_, i) => lab.capture(`s${i + 1}`));
    const sent = numbered(100, 60);
    plane.pour(
      sent.map((payload) => relayFrame({ to: "239.1.1.1", payload })),
      10,
    );
    const total = (): number => captures.reduce((sum, capture) => sum + capture.read().length, 0);
    plane.until(() => total() === 100 * outputs, "all copies");
    for (const [index, { device, group }] of places.entries()) {
      const seen = captures[Number(device.slice(1)) - 1]!.frames.filter((frame) => frame.to === group);
      assert.deepEqual(
        seen.map(({ payload }) => payload),
        sent,
        group,
      );
      assert.equal(plane.count(slots[index + 1], "packets"), 100, group);
    }
  });
}

/** Sends frames again and again while nobody reads the ring; then it is read. @returns what came to the ring, and what it had no room for */
async function overfill(lab: RelayLab, plane: LabPlane, frames: readonly Buffer[], rounds: number) {
  let packets = 0;
  let drops = 0;
  for (let round = 1; round <= rounds; round += 1) {
    for (const frame of frames) lab.sender.send(frame);
    // The kernel's queue before the ring must not overflow.
    await eventually(() => {
      const counts = plane.rings[0]!.statistics();
      packets += counts.packets;
      drops += counts.drops;
      assert.equal(packets, frames.length * round);
    });
  }
  plane.plane.drain();
  assert.ok(drops > 0, "the ring was large enough after all");
  return { packets, drops };
}

for (const mode of MODES) {
  test(`40: under overload everything is somewhere: sent, shed, or dropped by the ${mode} ring`, async () => {
    using lab = new RelayLab();
    // Blocks are handed over when they are full, however slow this machine is.
    using plane = lab.plane({ mode, bytes: 2 ** 20, retireMs: 60_000 });
    const outputs = [{ group: "239.2.2.2" }];
    const classes = ["low", "normal", "high"] as const;
    const groups = ["239.1.1.1", "239.1.1.2", "239.1.1.3"];
    const rules = groups.map((group, index) => plane.rule({ group, class: classes[index]!, outputs }));
    const payload = Buffer.alloc(1000);
    const frames = groups.map((to) => relayFrame({ to, payload }));
    const { drops } = await overfill(lab, plane, Array.from({ length: 30 }, () => frames).flat(), 50);
    const count = (counter: "packets" | "shed", which: 0 | 1) =>
      rules.map((slots) => plane.count(slots[which], counter));
    const came = count("packets", 0);
    const [shed, sent] = [count("shed", 0), count("packets", 1)];
    assert.equal(
      came.reduce((sum, n) => sum + n, drops),
      4500,
    );
    assert.deepEqual(
      came,
      shed.map((n, index) => n + sent[index]!),
    );
    assert.ok(shed[0]! > shed[1]! && shed[1]! > 0, `shed: ${shed.join()}`);
    assert.equal(shed[2], 0);
  });
}

test("40: nothing is shed for nobody: without a higher class a full ring is worked off", async () => {
  using lab = new RelayLab();
  using plane = lab.plane({ mode: "throughput", bytes: 2 ** 20, retireMs: 60_000 });
  const outputs = [{ group: "239.2.2.2" }];
  const [slot, output] = plane.rule({ group: "239.1.1.1", class: "low", outputs });
  plane.rule({ group: "239.1.1.2", class: "high", outputs });
  const frame = relayFrame({ to: "239.1.1.1", payload: Buffer.alloc(1000) });
  const frames = Array.from({ length: 90 }, () => frame);
  const { packets, drops } = await overfill(lab, plane, frames, 30);
  assert.deepEqual([plane.count(slot, "shed"), plane.count(output, "packets")], [0, packets - drops]);
});
