/** Rules that feed one another: chains, trees, diamonds, meshes and streams that meet, each packet counted at every hop. */
import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import type { Rule } from "../../src/relay/model.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { Volume } from "../helpers/relay-volume.ts";
import { joinedRelay, said, type WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

const GROUP = "239.1.1.1";
const PORT = 5000;
const FROM = { device: "src0", own: "10.0.0.2", group: GROUP, port: PORT };
/** Packets by which is measured what a topology takes. */
const MEASURE = 20_000;
/** What is sent at half of that, s. */
const SECONDS = 1;

/** Where a rule leads: from an interface to others. */
type Way = readonly [from: string, ...to: string[]];

const rulesFor = (ways: readonly Way[], engine: Rule["engine"]): Rule[] =>
  ways.map(([from, ...to]) =>
    said({ id: from, interface: from, group: GROUP, outputs: to.map((device) => ({ interface: device })), engine }),
  );

/** How often each rule has taken a packet, and each of its outputs sent one. */
const counted = (lab: WholeRelay, ways: readonly Way[]): Record<string, number[]> =>
  Object.fromEntries(ways.map(([from]) => [from, lab.counted(from).map((counts) => counts["packets"] ?? 0)] as const));

/** As many as they were by the ways' counters, each a multiple of all packets. */
const times = (wanted: Readonly<Record<string, readonly number[]>>, all: number): Record<string, number[]> =>
  Object.fromEntries(Object.entries(wanted).map(([from, counts]) => [from, counts.map((count) => count * all)]));

/** Measures how many packets a second go through whole, then sends at half of that. @returns packets sent in all */
async function carry(volumes: readonly Volume[], t: TestContext): Promise<number> {
  // What they have together.
  const window = Math.floor(800 / volumes.length);
  const exact = async (total: number, rate?: number): Promise<number> => {
    const rates = volumes.map((volume) => volume.exact(total, { window, ...(rate !== undefined && { rate }) }));
    return Math.min(...(await Promise.all(rates)));
  };
  const limit = await exact(MEASURE);
  const half = Math.ceil((limit * SECONDS) / 2);
  const reached = await exact(half, limit / 2);
  t.diagnostic(`${Math.round(limit)} packets a second; then ${half} at half of that: ${Math.round(reached)} a second`);
  return MEASURE + half;
}

/** A topology: its rules, how often each end has every packet, and the counters of each rule for one packet. */
interface Topology {
  readonly ways: readonly Way[];
  readonly ends: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, readonly number[]>>;
}

const TOPOLOGIES: Readonly<Record<string, Topology>> = {
  "a chain of three hops": {
    ways: [
      ["in0", "a0"],
      ["a1", "b0"],
      ["b1", "o1"],
    ],
    ends: { s1: 1 },
    counts: { in0: [1, 1], a1: [1, 1], b1: [1, 1] },
  },
  "a tree: each leaf has every packet once": {
    ways: [
      ["in0", "a0", "b0"],
      ["a1", "o1", "o2"],
      ["b1", "o3"],
    ],
    ends: { s1: 1, s2: 1, s3: 1 },
    counts: { in0: [1, 1, 1], a1: [1, 1, 1], b1: [1, 1] },
  },
  "42: a diamond: what goes two ways arrives twice, and no more": {
    ways: [
      ["in0", "a0", "b0"],
      ["a1", "o1"],
      ["b1", "o1"],
    ],
    ends: { s1: 2 },
    counts: { in0: [1, 1, 1], a1: [1, 1], b1: [1, 1] },
  },
  "a mesh: everybody hears everybody else once for each way there is": {
    ways: [
      ["in0", "a0", "b0", "o1"],
      ["a1", "c0", "o2"],
      ["b1", "c0", "o3"],
      ["c1", "o1"],
    ],
    ends: { s1: 3, s2: 1, s3: 1 },
    counts: { in0: [1, 1, 1, 1], a1: [1, 1, 1], b1: [1, 1, 1], c1: [2, 2] },
  },
};

for (const engine of ["kernel", "user"] as const)
  describe(`by the ${engine === "kernel" ? "kernel" : "workers"}`, () => {
    for (const [name, { ways, ends, counts }] of Object.entries(TOPOLOGIES))
      test(name, async (t) => {
        await using lab = joinedRelay();
        await lab.set(...rulesFor(ways, engine));
        for (const [from] of ways) assert.equal(lab.view(from).carriedBy, engine, lab.view(from).kernelReason);
        const to = Object.entries(ends).map(([device, copies]) => ({ device, group: GROUP, port: PORT, copies }));
        await using volume = await Volume.open(lab.net.host, FROM, to);
        const all = await carry([volume], t);
        await eventually(() => assert.deepEqual(counted(lab, ways), times(counts, all)));
      });

    test("streams of three segments converge on a fourth", async (t) => {
      await using lab = joinedRelay();
      const from = [FROM, { ...FROM, device: "s2", own: "10.0.2.2" }, { ...FROM, device: "s3", own: "10.0.3.2" }];
      const inputs = ["in0", "o2", "o3"];
      const group = "239.9.9.9";
      await lab.set(
        ...inputs.map((device, i) =>
          said({
            id: device,
            interface: device,
            group: GROUP,
            outputs: [{ interface: "o1", group, port: 1 + i }],
            engine,
          }),
        ),
      );
      await using owned = new AsyncDisposableStack();
      const volumes: Volume[] = [];
      for (const [i, place] of from.entries())
        volumes.push(owned.use(await Volume.open(lab.net.host, place, [{ device: "s1", group, port: 1 + i }])));
      const all = await carry(volumes, t);
      const ways = inputs.map((device): Way => [device, "o1"]);
      await eventually(() => assert.deepEqual(counted(lab, ways), times({ in0: [1, 1], o2: [1, 1], o3: [1, 1] }, all)));
    });
  });

test("14: streams that meet keep their counts apart, on either plane", async () => {
  await using lab = joinedRelay();
  const streams = ["239.5.0.1", "239.5.0.2", "239.5.0.3"];
  const rules = streams.map((group, i) =>
    said({
      id: group,
      group,
      outputs: [{ interface: "o1", group: "239.9.9.9", port: 9 }],
      engine: i === 1 ? "user" : "auto",
    }),
  );
  await lab.set(...rules);
  lab.net.listen("s1");
  let sum = 0;
  for (const [i, to] of streams.entries()) {
    const count = 50 * (i + 1);
    lab.net.send(Array.from({ length: count }, () => relayFrame({ to })));
    sum += count;
  }
  await lab.net.received("s1", "239.9.9.9", sum);
  await eventually(() =>
    assert.deepEqual(
      streams.map((group) => lab.counted(group).map(({ packets }) => packets)),
      [
        [50, 50],
        [100, 100],
        [150, 150],
      ],
    ),
  );
});
