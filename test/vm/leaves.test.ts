/** The shaper with CAKE and fq_codel leaves: what is built, read back by the real tc, and how leaves change. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import type { Cake } from "../../src/core/tc/qdisc.ts";
import { bytes, megabits, microseconds } from "../../src/core/units.ts";
import type { Isp, LeafChoice } from "../../src/shaper/model.ts";
import { requireLeaves } from "../helpers/features.ts";
import { circuit } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { downloadClass, flatIsp, tcQdiscs } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

/** On either side of the rates at which CAKE's rtt changes, and one that is fast. */
const PLANS = [1, 1.5, 2, 3, 4, 4.5, 10, 300];
const ISP = flatIsp(PLANS);
const AUTO = { leaf: { kind: "auto" }, fastRate: megabits(200) } as const;

/**
 * Everything that tc tells of both devices, but for the flows that CAKE and fq_codel list as classes while they have any, and
 * what left before there was a class for it: IPv6 says of itself that it is there at a time of its own.
 */
const dump = (lab: ShapedLab): string[] =>
  lab
    .router("for d in lan0 wan0; do tc -d qdisc show dev $d; tc -d class show dev $d; done")
    .replaceAll(/direct_packets_stat \d+/g, "")
    .split("\n")
    .filter((line) => !/^class (cake|fq_codel) /.test(line))
    .toSorted();

/** Kind and options of the leaf of each circuit towards the subscribers. */
function leaves(lab: ShapedLab, isp: Isp): { kind: string; options: Readonly<Record<string, unknown>> }[] {
  const byParent = new Map(tcQdiscs(lab, LAB.lan).map((qdisc) => [qdisc.parent, qdisc]));
  return isp.circuits.map(({ id }) => byParent.get(downloadClass(lab, isp, id)) ?? { kind: "none", options: {} });
}

test('leaf "auto" is CAKE, fq_codel where fast, by netlink and by tc alike; a second plan is empty', async (t) => {
  if (!requireLeaves(t)) return;
  using one = new ShapedLab({ config: AUTO });
  assert.deepEqual(
    one.shaper.plan(ISP, one.config).warnings.map(({ code }) => code),
    [],
  );
  await one.apply(ISP);
  assert.deepEqual(one.plan(ISP), []);
  assert.deepEqual(
    leaves(one, ISP).map(({ kind }) => kind),
    PLANS.map((mbit) => (mbit < 200 ? "cake" : "fq_codel")),
  );
  using two = new ShapedLab({ config: AUTO });
  await two.apply(ISP, {}, { executor: { kind: "tc" } });
  assert.deepEqual(two.plan(ISP), []);
  assert.deepEqual(dump(two), dump(one));
});

test("below 4.5 Mbit/s CAKE is given a longer rtt, in milliseconds", async (t) => {
  if (!requireLeaves(t)) return;
  using lab = new ShapedLab({ config: AUTO });
  await lab.apply(ISP);
  const rtts = leaves(lab, ISP).map(({ options }) => options["rtt"]);
  assert.deepEqual(rtts, [300_000, 300_000, 180_000, 140_000, 120_000, 120_000, 100_000, undefined]);
  assert.equal(leaves(lab, ISP)[0]!.options["diffserv"], "diffserv4");
  assert.match(lab.router(`tc qdisc show dev ${LAB.lan}`), /qdisc cake .* bandwidth unlimited diffserv4 .* rtt 300ms/);
});

/** What tc shows of a CAKE that is only told `cake`. */
const PLAIN = {
  bandwidth: "unlimited",
  diffserv: "diffserv3",
  flowmode: "triple-isolate",
  nat: false,
  wash: false,
  ingress: false,
  "ack-filter": "disabled",
  split_gso: true,
  rtt: 100_000,
  raw: true,
  overhead: 0,
  fwmark: "0",
};

const CAKES: readonly (readonly [options: Omit<Cake, "kind">, shown: Readonly<Record<string, unknown>>])[] = [
  [{}, {}],
  ...(["diffserv3", "diffserv4", "diffserv8", "besteffort", "precedence"] as const).map(
    (diffserv) => [{ diffserv }, { diffserv }] as const,
  ),
  ...(["flowblind", "hosts", "flows", "dual-srchost", "dual-dsthost"] as const).map(
    (flow) => [{ flow }, { flowmode: flow }] as const,
  ),
  [{ nat: true }, { nat: true }],
  [{ wash: true }, { wash: true }],
  [{ ackFilter: "ack-filter" }, { "ack-filter": "enabled" }],
  [{ ackFilter: "ack-filter-aggressive" }, { "ack-filter": "aggressive" }],
  [{ splitGso: false }, { split_gso: false }],
  [{ ingress: true }, { ingress: true }],
  [{ rtt: microseconds(35_000) }, { rtt: 35_000 }],
  [{ overhead: -4 }, { raw: false, overhead: -4 }],
  [
    { overhead: 18, mpu: bytes(64), atm: "ptm" },
    { raw: false, overhead: 18, mpu: 64, atm: "ptm" },
  ],
  [
    { overhead: 44, atm: "atm" },
    { raw: false, overhead: 44, atm: "atm" },
  ],
  [{ overhead: "raw" }, {}],
  [{ memlimit: bytes(4 << 20) }, { memlimit: 4 << 20 }],
  [{ fwmark: 0xff }, { fwmark: "0xff" }],
];

test("each option of CAKE is read back as it was meant, and none of the one before lingers", async (t) => {
  if (!requireLeaves(t)) return;
  using lab = new ShapedLab({ queues: 1 });
  const isp = flatIsp([10]);
  for (const [options, shown] of CAKES) {
    const leaf: Cake = { kind: "cake", ...options };
    await lab.apply(isp, { leaf });
    const [found] = leaves(lab, isp);
    const { atm = "noatm", ...rest } = found!.options;
    const { atm: wanted = "noatm", ...others }: Record<string, unknown> = { ...PLAIN, ...shown };
    assert.deepEqual(
      { kind: found!.kind, atm, ...rest },
      { kind: "cake", atm: wanted, ...others },
      JSON.stringify(leaf),
    );
    assert.deepEqual(lab.plan(isp, { leaf }), [], JSON.stringify(leaf));
  }
});

test("the leaf of all circuits changes from cake to fq_codel, to none, and back", async (t) => {
  if (!requireLeaves(t)) return;
  using lab = new ShapedLab({ queues: 2 });
  const isp = flatIsp([5, 10]);
  const choices: LeafChoice[] = [
    { kind: "cake" },
    { kind: "fq_codel" },
    { kind: "none" },
    { kind: "cake" },
    { kind: "fifo" },
    { kind: "auto" },
  ];
  for (const leaf of choices) {
    const actions = await lab.apply(isp, { leaf });
    const kind = { none: "none", fifo: "bfifo", auto: "cake" }[leaf.kind as string] ?? leaf.kind;
    assert.deepEqual(
      leaves(lab, isp).map((found) => found.kind),
      [kind, kind],
    );
    assert.ok(
      actions.some(({ kind: action }) => action.startsWith("qdisc.")),
      "leaves were changed",
    );
    assert.deepEqual(lab.plan(isp, { leaf }), [], leaf.kind);
  }
});

test("a circuit's own wish for a leaf counts, each way by itself", async (t) => {
  if (!requireLeaves(t)) return;
  using lab = new ShapedLab({ queues: 1, config: AUTO });
  const isp: Isp = {
    nodes: [],
    circuits: [
      circuit("a", undefined, 10, { address: "100.64.1.1", leaf: { download: "fq_codel", upload: "cake" } }),
      circuit("b", undefined, 300, { address: "100.64.1.2", leaf: { download: "cake", upload: "fifo" } }),
      circuit("c", undefined, 2, { address: "100.64.1.3", leaf: { download: "none", upload: "none" } }),
    ],
  };
  await lab.apply(isp);
  assert.deepEqual(
    leaves(lab, isp).map(({ kind }) => kind),
    ["fq_codel", "cake", "none"],
  );
  const up = tcQdiscs(lab, LAB.wan).map(({ kind }) => kind);
  // Of the circuits, and fq_codel of the default class, which may use all of the link.
  const kinds = up.filter((kind) => ["cake", "fq_codel", "bfifo"].includes(kind)).toSorted();
  assert.deepEqual(kinds, ["bfifo", "cake", "fq_codel"]);
  assert.deepEqual(lab.plan(isp), []);
});
