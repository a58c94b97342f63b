import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Cap } from "./cap.ts";

/** How many of these packets pass, sent one each `gap` ms. */
function passed(cap: Cap, count: number, gap: number, bytes: number): number {
  let through = 0;
  for (let i = 1; i <= count; i += 1) if (cap.passes(i * gap, 1, bytes)) through += 1;
  return through;
}

test("what stays below the rate passes whole", () => {
  assert.equal(passed(new Cap({ packetsPerSecond: 1000 }, 0), 5000, 1, 1400), 5000);
});

test("over time the rate passes, and a burst at first", () => {
  // 10,000 packets in 10 s; 1000 pass, and the 10 that were in the bucket.
  const packets = passed(new Cap({ packetsPerSecond: 100 }, 0), 10_000, 1, 1400);
  assert.ok(Math.abs(packets - 1010) <= 1, String(packets));
  // 112 Mbit in 10 s; 10 Mbit pass, and a tenth of a second's in the bucket.
  const bits = 8 * 1400 * passed(new Cap({ bitsPerSecond: 1e7 }, 0), 100_000, 0.1, 1400);
  assert.ok(Math.abs(bits - 1.01e8) <= 2e6, String(bits));
});

test("a rate below one packet in a tenth of a second lets them through all the same", () => {
  // 20 in 10 s, and the one that was in the bucket.
  assert.equal(passed(new Cap({ packetsPerSecond: 2 }, 0), 100, 100, 1400), 21);
});

test("no choice of lengths and times lets more through than the rate, the bucket and one packet", () => {
  const packet = fc.tuple(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 65_507 }));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.array(packet, { maxLength: 200 }), (rate, packets) => {
      const cap = new Cap({ bitsPerSecond: rate }, 0);
      let [now, bits] = [0, 0];
      for (const [gap, bytes] of packets) {
        now += gap;
        if (cap.passes(now, 1, bytes)) bits += 8 * bytes;
      }
      const most = (rate * now) / 1000 + Math.max(rate / 10, 8 * 65_536) + 8 * 65_507;
      assert.ok(bits <= most + 1e-3, `${bits} bits in ${now} ms`);
    }),
  );
});
