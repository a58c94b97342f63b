import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkHealth, firstHealth, type HealthState, offencesOf, type Replacement, type Seen } from "./health.ts";

const NAMES = ["a", "b", "c"];
const SPARES: readonly Seen[] = [
  { address: "x", since: 0 },
  { address: "y", since: 0 },
];

/** Checks once a second; gives what was replaced and when, and the last state. */
function run(
  seconds: number,
  see: (now: number) => readonly Seen[],
  spares: (now: number) => readonly Seen[] = () => SPARES,
  random = (): number => 0.5,
): { readonly replaced: (Replacement & { readonly at: number })[]; readonly state: HealthState } {
  let state = firstHealth(0);
  const replaced: (Replacement & { at: number })[] = [];
  for (let now = 0.5; now <= seconds; now += 0.5) {
    const done = checkHealth(state, now, see(now), spares(now), 1, random);
    ({ state } = done);
    if (done.replace) replaced.push({ ...done.replace, at: now });
  }
  return { replaced, state };
}

const well = (address: string, now: number): Seen => ({
  address,
  since: 0,
  lastAnswer: now - 0.2,
  baseline: 10,
  late: 1,
});

describe("offences", () => {
  it("are answers that do not come within the deadline; three of them cost the place", () => {
    const { replaced } = run(60, (now) =>
      NAMES.map((name) => (name === "b" ? { ...well(name, 3), address: name } : well(name, now))),
    );
    assert.deepEqual(replaced[0], {
      address: "b",
      by: "x",
      reason: "it did not answer in time 3 times of late",
      at: 6,
    });
  });

  it("are forgotten after 60 checks", () => {
    const silentAt = [10, 40, 71.5, 102];
    const { replaced, state } = run(130, (now) =>
      NAMES.map((name) => (name === "a" && silentAt.includes(now) ? { ...well(name, 0) } : well(name, now))),
    );
    assert.deepEqual(replaced, []);
    assert.equal(offencesOf(state, "a"), 1);
    assert.equal(offencesOf(state, "nobody"), 0);
  });

  it("are none for whoever was asked only just now", () => {
    const { replaced } = run(20, (now) => [well("a", now), { address: "new", since: now - 0.9 }]);
    assert.deepEqual(replaced, []);
  });

  it("are none while nobody answers: that is the line", () => {
    const { replaced, state } = run(300, (now) => NAMES.map((name) => well(name, Math.min(now, 5))));
    assert.deepEqual(replaced, []);
    assert.equal(offencesOf(state, "a"), 0);
  });

  it("are none for who answered a little earlier than the last before the line went down", () => {
    const last = { a: 10.45, b: 10.1, c: 10.3 };
    const { state } = run(20, (now) => NAMES.map((name) => well(name, now < 10 ? now : last[name as "a"] + 0.2)));
    for (const name of NAMES) assert.equal(offencesOf(state, name), 0, name);
  });

  it("change nothing when there is no spare", () => {
    const { replaced, state } = run(
      20,
      (now) => [well("a", now), well("b", 3)],
      () => [],
    );
    assert.deepEqual(replaced, []);
    assert.ok(offencesOf(state, "b") > 10);
  });

  it("cost one place at a time", () => {
    const { replaced } = run(7, (now) => [well("a", now), well("b", 3), well("c", 3)]);
    assert.deepEqual(
      replaced.map(({ address, at }) => [address, at]),
      [
        ["b", 6],
        ["c", 7],
      ],
    );
  });
});

describe("the comparison of each minute", () => {
  const near: readonly Seen[] = [
    { address: "x", since: 0 },
    { address: "y", since: 0, baseline: 12 },
  ];

  it("replaces who is far, by who is known to be near", () => {
    const see = (now: number): readonly Seen[] => [well("a", now), { ...well("b", now), baseline: 31 }, well("c", now)];
    const { replaced } = run(70, see, () => near);
    assert.deepEqual(replaced, [
      { address: "b", by: "y", reason: "its round trip is 21 ms longer than the best", at: 60 },
    ]);
    assert.deepEqual(run(70, see).replaced, [], "not by who may be as far");
    assert.deepEqual(
      run(
        70,
        (now) => [well("a", now), { ...well("b", now), baseline: 30 }],
        () => near,
      ).replaced,
      [],
    );
  });

  it("replaces who answers late", () => {
    const see = (now: number): readonly Seen[] => [well("a", now), well("b", now), { ...well("c", now), late: 12 }];
    assert.deepEqual(
      run(70, see, () => near).replaced.map(({ address, reason }) => [address, reason]),
      [["c", "its answers come 11 ms later above their baseline than the best's"]],
    );
  });

  it("says nothing of those that are all late, or not known", () => {
    assert.deepEqual(
      run(
        130,
        (now) => NAMES.map((name) => ({ ...well(name, now), late: 90 })),
        () => near,
      ).replaced,
      [],
    );
    const unknown = (now: number): readonly Seen[] => NAMES.map((address) => ({ address, since: 0, lastAnswer: now }));
    assert.deepEqual(run(130, unknown, () => near).replaced, []);
  });
});

describe("the rotation of each hour", () => {
  it("replaces one at random", () => {
    const { replaced } = run(
      7300,
      (now) => NAMES.map((name) => well(name, now)),
      () => SPARES,
      () => 0.99,
    );
    assert.deepEqual(
      replaced.map(({ address, by, at }) => [address, by, Math.round(at / 60)]),
      [
        ["c", "x", 60],
        ["c", "x", 120],
      ],
    );
  });
});
