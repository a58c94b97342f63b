import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { qdiscs } from "../../../test/helpers/tc.ts";
import { bitsPerSecond, bytes, microseconds } from "../units.ts";
import { fromCodelTime, type Qdisc, sameQdisc, withDefaults } from "./qdisc.ts";

test("a qdisc is the same as itself and as itself with the defaults stated", () => {
  fc.assert(fc.property(qdiscs, (qdisc) => sameQdisc(qdisc, qdisc) && sameQdisc(qdisc, withDefaults(qdisc))));
});

test("an option that is left out is the kernel's default", () => {
  assert.ok(sameQdisc({ kind: "cake" }, { kind: "cake", rtt: microseconds(100_000), diffserv: "diffserv3" }));
  assert.ok(!sameQdisc({ kind: "cake" }, { kind: "cake", rtt: microseconds(50_000) }));
  assert.ok(!sameQdisc({ kind: "cake" }, { kind: "cake", overhead: 0 }), "raw is not the same as no overhead");
  assert.ok(!sameQdisc({ kind: "cake", nat: true }, { kind: "cake" }));
  assert.ok(!sameQdisc({ kind: "mq" }, { kind: "other", name: "mq" }));
  const quantum = bytes(1514);
  assert.ok(sameQdisc({ kind: "fq_codel" }, { kind: "fq_codel", quantum }), "its default depends on the device");
});

const cake = (bandwidth: number): Qdisc => ({ kind: "cake", bandwidth: bitsPerSecond(bandwidth) });

/** What fq_codel_change() keeps of a time, and what fq_codel_dump() makes of that. */
const dumped = (time: number): number => Math.floor((Math.floor((time * 1000) / 1024) * 1024) / 1000);

test("rates count in whole bytes per second", () => {
  assert.ok(sameQdisc(cake(1_000_007), cake(1_000_000)));
  assert.ok(!sameQdisc(cake(1_000_008), cake(1_000_000)));
});

test("CoDel's times survive the two roundings of a dump", () => {
  assert.equal(dumped(5000), 4999);
  assert.equal(fromCodelTime(4999), 5000);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (time) => {
      const target = microseconds(time);
      const seen = fromCodelTime(dumped(time));
      assert.equal(dumped(seen), dumped(time));
      assert.ok(sameQdisc({ kind: "fq_codel", target }, { kind: "fq_codel", target: seen }));
    }),
  );
  assert.ok(
    !sameQdisc({ kind: "fq_codel", target: microseconds(5000) }, { kind: "fq_codel", target: microseconds(5003) }),
  );
});
