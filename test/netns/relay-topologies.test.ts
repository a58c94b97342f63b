/** Rules that feed one another: chains, trees, diamonds, meshes and streams that meet, each packet counted at every hop. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ip } from "../../demo/lab.ts";
import type { Rule } from "../../src/relay/model.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { said, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

/** Packets in a row, few enough for the queue between two interfaces of a namespace. */
const BURST = 100;
const BURSTS = 10;
const ALL = BURST * BURSTS;
const GROUP = "239.1.1.1";

/** Where a rule leads: from an interface to others. */
type Way = readonly [from: string, ...to: string[]];

/** The lab with segments inside the router: what leaves by `a0` comes in at `a1`, and so on. */
function joined(): WholeRelay {
  const lab = new WholeRelay();
  ip(
    lab.net.router,
    ["a", "b", "c"].flatMap((name, i) => [
      `link add ${name}0 type veth peer name ${name}1`,
      `addr add 10.8.${i}.1/24 dev ${name}0`,
      `link set ${name}0 up`,
      `link set ${name}1 up`,
    ]),
  );
  // One packet is one packet on the way between them, too.
  for (const name of ["a0", "b0", "c0"])
    lab.net.ethtool(lab.net.router, name, "gso", "off", "tx-udp-segmentation", "off");
  return lab;
}

const rulesFor = (ways: readonly Way[], engine: Rule["engine"]): Rule[] =>
  ways.map(([from, ...to]) =>
    said({
      id: from,
      interface: from,
      group: GROUP,
      outputs: to.map((device) => ({ interface: device, source: { kind: "preserve" } })),
      engine,
    }),
  );

/** How often each rule has taken a packet, and each of its outputs sent one. */
const counted = (lab: WholeRelay, ways: readonly Way[]): Record<string, number[]> =>
  Object.fromEntries(ways.map(([from]) => [from, lab.counted(from).map((counts) => counts["packets"] ?? 0)] as const));

/** Sends to in0 in bursts, each when the one before has come through. @param wanted copies of each packet by an output of the box */
async function carry(lab: WholeRelay, ways: readonly Way[], wanted: Readonly<Record<string, number>>): Promise<void> {
  lab.net.listen(...Object.keys(wanted));
  const payload = Buffer.alloc(200, 7);
  for (let burst = 0; burst < BURSTS; burst += 1) {
    lab.net.send(Array.from({ length: BURST }, () => relayFrame({ to: GROUP, payload })));
    for (const [device, copies] of Object.entries(wanted)) await lab.net.received(device, GROUP, BURST * copies);
  }
  const taken = counted(lab, ways)["in0"];
  assert.equal(taken![0], ALL);
}

for (const engine of ["kernel", "user"] as const)
  describe(`by the ${engine === "kernel" ? "kernel" : "workers"}`, () => {
    const run = async (ways: readonly Way[], wanted: Readonly<Record<string, number>>) => {
      await using lab = joined();
      await lab.set(...rulesFor(ways, engine));
      for (const [from] of ways) assert.equal(lab.view(from).carriedBy, engine, lab.view(from).kernelReason);
      await carry(lab, ways, wanted);
      return counted(lab, ways);
    };

    test("a chain of three hops", async () => {
      const counts = await run(
        [
          ["in0", "a0"],
          ["a1", "b0"],
          ["b1", "o1"],
        ],
        { s1: 1 },
      );
      assert.deepEqual(counts, { in0: [ALL, ALL], a1: [ALL, ALL], b1: [ALL, ALL] });
    });

    test("a tree: each leaf has every packet once", async () => {
      const counts = await run(
        [
          ["in0", "a0", "b0"],
          ["a1", "o1", "o2"],
          ["b1", "o3"],
        ],
        { s1: 1, s2: 1, s3: 1 },
      );
      assert.deepEqual(counts, { in0: [ALL, ALL, ALL], a1: [ALL, ALL, ALL], b1: [ALL, ALL] });
    });

    test("a diamond: what goes two ways arrives twice, and no more", async () => {
      const counts = await run(
        [
          ["in0", "a0", "b0"],
          ["a1", "o1"],
          ["b1", "o1"],
        ],
        { s1: 2 },
      );
      assert.deepEqual(counts, { in0: [ALL, ALL, ALL], a1: [ALL, ALL], b1: [ALL, ALL] });
    });

    test("a mesh: everybody hears everybody else once for each way there is", async () => {
      const counts = await run(
        [
          ["in0", "a0", "b0", "o1"],
          ["a1", "c0", "o2"],
          ["b1", "c0", "o3"],
          ["c1", "o1"],
        ],
        {
          s1: 3,
          s2: 1,
          s3: 1,
        },
      );
      assert.deepEqual(counts["c1"], [2 * ALL, 2 * ALL]);
    });
  });

test("streams that meet keep their counts apart, on either plane", async () => {
  await using lab = joined();
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
