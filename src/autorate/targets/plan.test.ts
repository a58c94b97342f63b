import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { ClassAt, HtbClass } from "../../core/tc/class.ts";
import { handle, TC_ROOT } from "../../core/tc/handle.ts";
import type { Cake, Tbf } from "../../core/tc/qdisc.ts";
import { type BitsPerSecond, bitsPerSecond, bytes, megabits } from "../../core/units.ts";
import { TARGET_ACTIONS, type TargetAction, tcLine } from "./actions.ts";
import { planRate, refusal } from "./plan.ts";
import { rateOf, sameShape, type Shape } from "./shape.ts";

const dev = "wan";
const mtu = 1500;

const cake = (options: Partial<Cake>): Shape => ({
  kind: "qdisc",
  at: { handle: handle(0x8001), parent: TC_ROOT, qdisc: { kind: "cake", ...options } },
});
const tbf = (options: Partial<Tbf>): Shape => ({
  kind: "qdisc",
  at: {
    handle: handle(1),
    parent: TC_ROOT,
    qdisc: { kind: "tbf", rate: megabits(20), burst: bytes(32_000), limit: bytes(157_000), ...options },
  },
});
const htb = (options: Partial<HtbClass>, parent = handle(1, 1)): Shape => ({
  kind: "class",
  at: {
    classid: handle(1, 0x10),
    parent,
    htb: {
      rate: megabits(5),
      ceil: megabits(20),
      burst: bytes(6250),
      cburst: bytes(25_000),
      quantum: bytes(3000),
      prio: 2,
      ...options,
    },
  },
});

/** What the kernel shows after an action; of a CAKE the options that the action leaves out stay. */
function after(now: Shape, action: TargetAction): Shape {
  if (action.kind === "class.change") return { kind: "class", at: action.at };
  const { qdisc } = now.at as { qdisc: Cake | Tbf };
  return { kind: "qdisc", at: { ...action.at, qdisc: { ...qdisc, ...action.at.qdisc } } };
}

const lines = (now: Shape, rate: number, found = now): string[] =>
  planRate({ dev, mtu, now, found }, bitsPerSecond(rate)).actions.map((action) => tcLine(action));

describe("a plan", () => {
  test("of a CAKE states its bandwidth and nothing else", () => {
    const now = cake({ bandwidth: megabits(20), diffserv: "besteffort", nat: true, overhead: 44, atm: "ptm" });
    assert.deepEqual(lines(now, 12.5e6), ["qdisc change dev wan root handle 8001: cake bandwidth 12500kbit"]);
    assert.deepEqual(lines(now, 20e6), []);
    assert.deepEqual(lines(now, 20e6 + 7), [], "the kernel keeps whole bytes");
    assert.deepEqual(lines(cake({ bandwidth: bitsPerSecond(0) }), 1e6).length, 1);
  });

  test("of a TBF keeps the time of its bucket and of its limit", () => {
    assert.deepEqual(lines(tbf({}), 10e6), [
      "qdisc change dev wan root handle 1: tbf rate 10mbit burst 16000b limit 78500b",
    ]);
    // A bucket holds a packet and 4 ms at least; two packets may wait at least, unless it was fewer before.
    assert.match(lines(tbf({}), 0.1e6)[0]!, /burst 1600b limit 3200b$/);
    assert.match(lines(tbf({ limit: bytes(2000) }), 0.1e6)[0]!, /burst 1600b limit 2000b$/);
    assert.match(lines(tbf({ burst: bytes(1600) }), 100e6)[0]!, /burst 50000b limit 785000b$/);
    const framed = tbf({ framing: { overhead: 14, mpu: 64, linklayer: "atm" }, burst: bytes(10_258) });
    // 5132 bytes and 14 of overhead take 108 cells, which hold as many as 5170.
    assert.match(lines(framed, 10e6)[0]!, /burst 5170b limit 78500b overhead 14 mpu 64 linklayer atm$/);
  });

  test("of a class sets its ceiling, and its own rate where that counts", () => {
    const [line] = lines(htb({}), 10e6);
    assert.equal(
      line,
      "class change dev wan parent 1:1 classid 1:10 htb rate 5mbit ceil 10mbit burst 6250b cburst 12500b quantum 3000 prio 2",
    );
    assert.match(lines(htb({}), 3e6)[0]!, /rate 3mbit ceil 3mbit/);
    assert.match(lines(htb({ rate: megabits(20) }), 30e6)[0]!, /rate 30mbit ceil 30mbit/);
    assert.match(lines(htb({}, handle(1)), 10e6)[0]!, /rate 10mbit ceil 10mbit/);
    assert.equal(rateOf(htb({}, handle(1))), 5e6, "on the HTB itself a ceiling above the rate means nothing");
    assert.equal(rateOf(htb({})), 20e6);
  });
});

test("what no plan can do is refused in words", () => {
  assert.equal(refusal(cake({}), megabits(1)), undefined);
  for (const rate of [0, 7.9, -5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.match(refusal(cake({}), bitsPerSecond(rate)) ?? "", /least rate/);
  assert.match(refusal(cake({ autorateIngress: true }), megabits(1)) ?? "", /autorate-ingress/);
  const peaked = tbf({ peakrate: megabits(40), mtu: bytes(1600) });
  assert.equal(refusal(peaked, megabits(39.9)), undefined);
  assert.match(refusal(peaked, megabits(40)) ?? "", /its peakrate of 40mbit has to be higher/);
});

const rates = fc.integer({ min: 1, max: 2 ** 31 }).map((bytesPerSecond) => bitsPerSecond(8 * bytesPerSecond));
const sizes = fc.integer({ min: 1, max: 2 ** 28 }).map(bytes);
const framing = fc.record({
  overhead: fc.nat({ max: 100 }),
  mpu: fc.nat({ max: 100 }),
  linklayer: fc.constantFrom("ethernet" as const, "atm" as const),
});
const shapes: fc.Arbitrary<Shape> = fc.oneof(
  rates.map((bandwidth) => cake({ bandwidth })),
  fc.record({ rate: rates, burst: sizes, limit: sizes }).map((options) => tbf(options)),
  fc.record({ rate: rates, burst: sizes, limit: sizes, framing }).map((options) => tbf(options)),
  fc
    .record({ rate: rates, ceil: rates, quantum: sizes, prio: fc.nat({ max: 7 }), top: fc.boolean() })
    .map(({ top, ...options }) => htb(options, handle(1, top ? 0 : 1))),
);

describe("for any shape and any rates", () => {
  const input = (now: Shape, found: Shape) => ({ dev, mtu, now, found });

  test("a second plan is empty, and the kernel shows the rate", () => {
    fc.assert(
      fc.property(shapes, rates, (found, rate) => {
        const { actions, wish } = planRate(input(found, found), rate);
        const now = actions.reduce((shape, action) => after(shape, action), found);
        assert.ok(sameShape(now, wish));
        assert.equal(rateOf(now), rate);
        assert.deepEqual(planRate(input(now, found), rate).actions, []);
      }),
    );
  });

  test("an undo restores what was there", () => {
    fc.assert(
      fc.property(shapes, rates, (found, rate) => {
        const { actions } = planRate(input(found, found), rate);
        for (const action of actions) {
          const [back, ...more] = TARGET_ACTIONS.inverse(action);
          assert.deepEqual(more, []);
          assert.deepEqual(after(after(found, action), back!), found);
        }
      }),
    );
  });

  test("the way to a rate does not matter", () => {
    fc.assert(
      fc.property(shapes, fc.array(rates, { maxLength: 10 }), rates, (found, detour, rate) => {
        const go = (now: Shape, next: BitsPerSecond): Shape =>
          planRate(input(now, found), next).actions.reduce((shape, action) => after(shape, action), now);
        assert.deepEqual(go(detour.reduce(go, found), rate), go(found, rate));
      }),
    );
  });

  test("a bucket takes a full packet, and a class keeps what is not its rate", () => {
    fc.assert(
      fc.property(shapes, rates, (found, rate) => {
        const { at, kind } = planRate(input(found, found), rate).wish;
        if (kind === "class") {
          const { quantum, prio } = (found.at as ClassAt).htb;
          assert.deepEqual([at.parent, at.htb.quantum, at.htb.prio], [found.at.parent, quantum, prio]);
          assert.ok(at.htb.rate <= at.htb.ceil);
        } else if (at.qdisc.kind === "tbf") assert.ok(at.qdisc.burst >= 1600);
      }),
    );
  });
});
