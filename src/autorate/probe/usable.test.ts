import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBE_MODES } from "../model.ts";
import { Known } from "./known.ts";
import { usableOf, type UsableInput } from "./usable.ts";

const NOW = 100;
const peer = (change: Partial<Known> = {}): Known =>
  Object.assign(new Known({ address: "192.0.2.1", family: 4, description: "" }, PROBE_MODES, 0), change);
const level = { base: 10, recent: 10 };
const baseline = {
  owd: { upload: level, download: level },
  rtt: level,
  jitter: 0,
  delta: { upload: 0, download: 0 },
  last: NOW - 0.1,
  unsure: 0,
  guessed: 0,
};
const settled = {
  distrusted: false,
  faults: [],
  heard: {},
  since: 0,
  retry: Infinity,
  falls: 0,
  mode: "timestamp",
} as const;
const well = (): Known => peer({ lastAnswer: NOW - 0.1, baseline, ladder: settled, sent: 9 });

const told = (peers: readonly Known[], change: Partial<UsableInput> = {}): unknown =>
  usableOf({ now: NOW, tick: 0.5, paused: false, blocked: undefined, peers, ...change });

test("what is amiss is told, the first thing first", () => {
  assert.deepEqual(told([well(), well()]), { count: 2 });
  assert.deepEqual(told([well(), peer()]), { count: 1, reason: "1 of 2 reflectors answer" });
  assert.deepEqual(told([]), { count: 0, reason: "the list has no reflector that can be asked" });
  assert.deepEqual(told([well()], { paused: true }), { count: 1, reason: "asking is paused while the line is idle" });
  assert.deepEqual(told([peer()], { blocked: "no such device (ENODEV)" }), {
    count: 0,
    reason: "probes cannot be sent: no such device (ENODEV)",
  });
  assert.deepEqual(told([peer()]), { count: 0, reason: "nobody has been asked yet" });
  assert.deepEqual(told([peer({ sent: 3, since: NOW - 1 })]), { count: 0, reason: "the first answers are awaited" });
  assert.deepEqual(told([peer({ sent: 12 })]), {
    count: 0,
    reason: "none of 1 reflectors has answered 12 probes: is ICMP filtered, or the line down?",
  });
  const stale = peer({ lastAnswer: NOW - 30, baseline: { ...baseline, last: NOW - 30 }, ladder: settled, sent: 9 });
  assert.deepEqual(told([stale]), { count: 0, reason: "no reflector has answered for 30 s" });
  assert.deepEqual(told([peer({ lastAnswer: NOW - 0.1, sent: 9 })]), {
    count: 0,
    reason: "how to ask is being found out",
  });
  const { mode: _mode, ...none } = settled;
  const unfit = peer({ lastAnswer: NOW - 0.1, sent: 9, ladder: { ...none, reason: "its stamps are zero" } });
  assert.deepEqual(told([unfit]), {
    count: 0,
    reason: "there are answers, but none that can be used: its stamps are zero",
  });
});
