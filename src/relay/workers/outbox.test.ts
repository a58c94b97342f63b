import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { ManualTimers } from "../../../test/helpers/manual-timers.ts";
import { Channel } from "../../linux/channel.ts";
import { Fd } from "../../linux/fd.ts";
import { Outbox } from "./outbox.ts";

checkFds();

class Lab implements Disposable {
  readonly timers = new ManualTimers();
  readonly ours: Channel;
  readonly theirs: Channel;
  readonly outbox: Outbox;
  stuck = 0;
  rooms = 0;

  constructor() {
    [this.ours, this.theirs] = Channel.pair();
    this.outbox = new Outbox({
      channel: this.ours,
      timers: this.timers,
      patience: 500,
      room: () => (this.rooms += 1),
      stuck: () => (this.stuck += 1),
    });
  }

  /** Orders that are as long as they may be. */
  push(count: number, from = 0): void {
    for (let i = 0; i < count; i += 1)
      this.outbox.push({ kind: "drop", id: `${from + i}`.padEnd(60_000) }, [Fd.open("/dev/null")]);
  }

  read(): number[] {
    const all = [];
    for (let next = this.theirs.receive(); next; next = this.theirs.receive()) {
      all.push(Number((next.message as { id: string }).id));
      assert.equal(next.fds.length, 1);
      for (const fd of next.fds) fd[Symbol.dispose]();
    }
    return all;
  }

  [Symbol.dispose](): void {
    this.outbox[Symbol.dispose]();
    this.ours[Symbol.dispose]();
    this.theirs[Symbol.dispose]();
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("what finds no room waits, and goes in order once the worker reads", () => {
  using lab = new Lab();
  lab.push(20);
  assert.equal(lab.outbox.empty, false);
  const got = lab.read();
  assert.ok(got.length < 20);
  for (let rounds = 0; !lab.outbox.empty; rounds += 1) {
    assert.ok(rounds < 20);
    lab.timers.advance(5);
    got.push(...lab.read());
  }
  assert.deepEqual(got, upTo(20));
  assert.deepEqual([lab.stuck, lab.timers.pending], [0, 0]);
});

test("it says when there is no more room, and when there is again", () => {
  using lab = new Lab();
  lab.push(60);
  assert.equal(lab.outbox.room, false);
  lab.timers.advance(5);
  assert.equal(lab.rooms, 0);
  const got = lab.read();
  while (!lab.outbox.room) {
    lab.timers.advance(5);
    got.push(...lab.read());
  }
  assert.ok(lab.rooms > 0);
  assert.deepEqual(got, upTo(got.length));
});

test("a worker that reads nothing is told of, once, and one that reads slowly is not", () => {
  using lab = new Lab();
  lab.push(20);
  for (let i = 0; i < 9; i += 1) {
    lab.timers.advance(400);
    const received = lab.theirs.receive();
    for (const fd of received?.fds ?? []) fd[Symbol.dispose]();
    lab.timers.advance(5);
  }
  assert.equal(lab.stuck, 0);
  lab.timers.advance(2000);
  assert.deepEqual([lab.stuck, lab.timers.pending], [1, 0]);
});
