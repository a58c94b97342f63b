import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rules.ts";
import { StubPlane, StubRing } from "../../../test/helpers/stub-plane.ts";
import { Channel } from "../../linux/channel.ts";
import { Fd } from "../../linux/fd.ts";
import { COUNTERS, type PlaneRule } from "../model.ts";
import { cellsFor, RING_COUNTERS } from "./cells.ts";
import { RuleDigest } from "./digest.ts";
import type { Order } from "./message-codec.ts";
import { encodeRule } from "./rule-codec.ts";
import { Session } from "./session.ts";

checkFds();

class Lab implements Disposable {
  readonly cells = cellsFor(4);
  readonly numbers = new Float64Array(this.cells.length);
  readonly plane = new StubPlane();
  readonly ours: Channel;
  readonly theirs: Channel;
  readonly session: Session<StubRing>;
  now = 0;
  #sockets = 0;

  constructor() {
    [this.ours, this.theirs] = Channel.pair();
    this.session = new Session<StubRing>({
      channel: this.theirs,
      numbers: this.numbers,
      cells: this.cells,
      openRing: (fd, layout) => new StubRing(fd, layout),
      openPlane: () => this.plane,
      now: () => this.now,
    });
    assert.deepEqual(this.heard(), [{ kind: "ready" }]);
  }

  say(order: Order, count = 0): void {
    const fds = Array.from({ length: count }, () => Fd.open("/dev/null"));
    assert.ok(
      this.ours.send(
        order,
        fds.map((fd) => fd.number),
      ),
    );
    for (const fd of fds) fd[Symbol.dispose]();
  }

  rule(rule: PlaneRule): void {
    const sockets = rule.outputs.map(() => {
      this.#sockets += 1;
      this.say({ kind: "socket", number: this.#sockets, socket: "udp" }, 1);
      return this.#sockets;
    });
    this.say({ kind: "rule", rule: encodeRule(rule), sockets, more: false });
  }

  heard(): unknown[] {
    const all = [];
    for (let next = this.ours.receive(); next; next = this.ours.receive()) all.push(next.message);
    return all;
  }

  [Symbol.dispose](): void {
    this.session[Symbol.dispose]();
    this.ours[Symbol.dispose]();
    this.theirs[Symbol.dispose]();
  }
}

test("it has the rules that it is told, and acknowledges with a hash of its own", () => {
  using lab = new Lab();
  const digest = new RuleDigest();
  for (const id of ["1", "2"]) {
    lab.rule(planeRule({ id }));
    digest.set(encodeRule(planeRule({ id })));
  }
  lab.say({ kind: "sync", number: 7 });
  assert.equal(lab.session.turn(), true);
  assert.deepEqual(lab.heard(), [{ kind: "ack", number: 7, hash: digest.hash, count: 2 }]);
  assert.deepEqual(
    [...lab.plane.rules.values()],
    ["1", "2"].map((id) => planeRule({ id })),
  );
  lab.say({ kind: "drop", id: "1" });
  lab.say({ kind: "begin" });
  lab.rule(planeRule({ id: "3" }));
  lab.say({ kind: "sync", number: 8 });
  lab.session.turn();
  assert.deepEqual([...lab.plane.rules.keys()], ["3"]);
  assert.equal((lab.heard()[0] as { count: number }).count, 1);
});

test("rings come into use together, those that stay go on, and the others are closed", () => {
  using lab = new Lab();
  const ring = (number: number): void => lab.say({ kind: "ring", number, layout: number }, 1);
  const open = (): boolean[] => rings.map(({ fd }) => fd.isOpen);
  lab.rule(planeRule());
  for (const number of [0, 1, 2]) ring(number);
  lab.say({ kind: "rings", numbers: [0, 1] });
  lab.say({ kind: "rings", numbers: [1, 2] });
  lab.session.turn();
  assert.deepEqual(lab.plane.log, []);
  lab.say({ kind: "sync", number: 1 });
  lab.say({ kind: "sync", number: 2 });
  lab.session.turn();
  assert.deepEqual(lab.plane.log.splice(0), ["rings 1 2"]);
  const rings = lab.plane.rings;

  lab.plane.dead.add(rings[1]!);
  lab.heard();
  lab.session.turn();
  lab.session.turn();
  assert.deepEqual(lab.heard(), [{ kind: "dead", ring: 2 }]);
  ring(3);
  lab.say({ kind: "rings", numbers: [1, 3] });
  lab.say({ kind: "sync", number: 3 });
  lab.session.turn();
  assert.deepEqual(lab.plane.log.splice(0), ["rings 1 3"]);
  assert.deepEqual(open(), [true, false]);
  for (const each of lab.plane.rings) lab.plane.dead.add(each);
  lab.heard();
  lab.session.turn();
  assert.deepEqual(lab.heard(), [
    { kind: "dead", ring: 1 },
    { kind: "dead", ring: 3 },
  ]);
  lab.say({ kind: "rings", numbers: [] });
  lab.say({ kind: "sync", number: 4 });
  lab.session.turn();
  assert.deepEqual(open(), [false, false]);
  assert.deepEqual([...lab.plane.rules.values()], [planeRule()]);
  lab.say({ kind: "rings", numbers: [9] });
  lab.say({ kind: "sync", number: 5 });
  assert.throws(() => lab.session.turn(), /ring 9 has not come/);
});

test("once a second it counts up its beat and what rings say", () => {
  using lab = new Lab();
  lab.say({ kind: "ring", number: 0, layout: "a" }, 1);
  lab.say({ kind: "rings", numbers: [0] });
  lab.say({ kind: "sync", number: 1 });
  lab.session.turn();
  const beats = (): number => lab.numbers[lab.cells.beat]!;
  const ring = (): number[] => RING_COUNTERS.map((_, index) => lab.numbers[lab.cells.ring + index]!);
  assert.deepEqual([beats(), ...ring()], [1, 3, 2, 1]);
  lab.now = 999;
  lab.session.turn();
  assert.equal(beats(), 1);
  lab.now = 1000;
  lab.session.turn();
  assert.deepEqual([beats(), ...ring()], [2, 6, 4, 2]);
});

test("it ends when it is told to, or nobody is there, and says what it did", () => {
  using lab = new Lab();
  lab.rule(planeRule({ outputs: [planeOutput({ slot: 1 }), planeOutput({ slot: 2 })] }));
  lab.say({ kind: "stop" });
  assert.equal(lab.session.turn(), false);
  const count = (slot: number, name: (typeof COUNTERS)[number], value: number): void => {
    lab.numbers[slot * COUNTERS.length + COUNTERS.indexOf(name)] = value;
  };
  count(0, "packets", 10);
  count(0, "bytes", 1000);
  count(1, "packets", 10);
  count(2, "packets", 8);
  count(2, "sendErrors", 2);
  count(3, "packets", 99);
  const report = lab.session.finish();
  const ring = { packets: 0, drops: 0, freezes: 0 };
  assert.deepEqual(report, { rules: 1, packets: 10, bytes: 1000, copies: 18, sendErrors: 2, ring });
  assert.deepEqual(lab.heard(), [{ kind: "final", ...report }]);
  assert.deepEqual(lab.plane.log, ["drain"]);

  using other = new Lab();
  assert.equal(other.session.turn(), true);
  other.ours[Symbol.dispose]();
  assert.equal(other.session.turn(), false);
  other.session.finish();
});

test("it tells of the packets that it saw", () => {
  using lab = new Lab();
  lab.say({ kind: "trace", number: 3, id: "x", most: 1_000_000 });
  lab.session.turn();
  const packet = { time: 200, source: "10.0.0.1:1", destination: "10.0.0.2:2", length: 0, outcome: "x" };
  assert.deepEqual(lab.heard(), [{ kind: "traced", number: 3, packets: [packet] }]);
});
