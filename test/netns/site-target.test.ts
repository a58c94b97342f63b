/** Nodes of a shaped tree as what autorate drives, on the real kernel. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { bitsPerSecond, megabits } from "../../src/core/units.ts";
import { libreqosPlan } from "../../src/shaper/libreqos/dialect.ts";
import { LiveRates } from "../../src/shaper/live-rates.ts";
import type { Direction, Isp } from "../../src/shaper/model.ts";
import { SiteTarget } from "../../src/shaper/site-target.ts";
import { circuit, config, node } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const ISP: Isp = {
  nodes: [node("Tower 1", 50, [node("Sector", 30)], { min: 30 }), node("Mill", 80)],
  circuits: [
    circuit("c1", "Tower 1", 20, { min: 6, address: "100.64.1.1" }),
    circuit("c2", "Sector", 12.5, { min: 8, address: "100.64.1.2" }),
    circuit("c3", "Sector", 25, { min: 4, address: "100.64.1.3" }),
    circuit("c4", "Mill", 60, { address: "100.64.1.4" }),
  ],
};

/** A shaped lab whose nodes can be driven. */
class SiteLab extends ShapedLab {
  readonly live: LiveRates;

  constructor(queues: number) {
    const live = new LiveRates();
    super({ queues, live });
    this.live = live;
  }

  site(name: string, direction: Direction = "download", absence?: string): SiteTarget {
    return new SiteTarget({
      name,
      direction,
      live: this.live,
      netns: this.lab.router.path,
      serial: (body) => body(),
      ...(absence !== undefined && { absence: () => absence }),
    });
  }

  /** Rate and ceiling of each class in Mbit/s, as tc shows them. */
  rates(device: string = LAB.lan): Record<string, string> {
    const units: Record<string, number> = { "": 1, K: 1e3, M: 1e6, G: 1e9 };
    const mbit = (number: string, unit: string): number => (Number(number) * units[unit]!) / 1e6;
    const lines = this.router(`tc class show dev ${device}`).matchAll(
      /^class htb (\S+) .* rate (\d+)([KMG]?)bit .*?ceil (\d+)([KMG]?)bit/gm,
    );
    return Object.fromEntries(
      [...lines].map(([, id, rate, unit, ceil, scale]) => [id!, `${mbit(rate!, unit!)}/${mbit(ceil!, scale!)}`]),
    );
  }
}

const classOf = ({ label }: SiteTarget): string => /class (\S+) of/.exec(label)![1]!;

async function fails(promise: Promise<unknown>, code: string, ...parts: RegExp[]): Promise<void> {
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof SluiceError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.match(error.message, part);
    return true;
  });
}

for (const queues of [1, 4]) {
  describe(`with ${queues} queues a site`, () => {
    test("is set to live rates that plans and applies keep, and is given back", async () => {
      using lab = new SiteLab(queues);
      using tower = lab.site("Tower 1");
      assert.equal(tower.label, 'site "Tower 1"');
      assert.equal(tower.observe(), undefined);
      await fails(
        tower.set(megabits(9)),
        "AUTORATE_TARGET_MISSING",
        /the tree is not in the kernel yet/,
        /sluice apply for a site/,
      );
      await lab.apply(ISP);
      const planned = lab.rates();
      const upload = lab.rates(LAB.wan);
      assert.equal(tower.observe()?.rate, 50e6);
      const id = classOf(tower);
      assert.match(tower.label, /^site "Tower 1" \(class \w+:\w+ of lan0\)$/);

      assert.equal(await tower.set(bitsPerSecond(44_000_007)), 44_000_000);
      assert.equal(tower.observe()?.rate, 44e6);
      assert.deepEqual(lab.rates(), { ...planned, [id]: "44/44" }, "the site's class alone");
      assert.deepEqual(tower.show(megabits(44)), []);
      assert.deepEqual(lab.plan(ISP), [], "the next look finds nothing to do");
      assert.deepEqual(await lab.apply(ISP), []);
      const more = { ...ISP, circuits: [...ISP.circuits, circuit("c5", "Tower 1", 5, { address: "100.64.1.5" })] };
      assert.equal(
        (await lab.apply(more)).some((action) => action.kind === "class.change"),
        false,
      );
      assert.equal(lab.rates()[id], "44/44", "another circuit comes, and the live rate stays");
      await lab.apply(ISP);
      assert.deepEqual(lab.rates(LAB.wan), upload, "the other direction is another target");

      await tower.release();
      assert.deepEqual(lab.rates(), planned);
      assert.deepEqual(lab.plan(ISP), []);
      await tower.release();
    });

    test("below what is guaranteed scales the guarantees, and every circuit keeps its ceiling", async () => {
      using lab = new SiteLab(queues);
      using tower = lab.site("Tower 1");
      await lab.apply(ISP);
      const planned = lab.rates();
      for (const mbit of [9, 1.2, 0.3, 17, 40, 2]) {
        assert.equal(await tower.set(megabits(mbit)), mbit * 1e6);
        const now = lab.rates();
        const changed = Object.keys(now).filter((id) => now[id] !== planned[id]);
        const own = (id: string): number => Number(now[id]!.split("/")[0]);
        const ceil = (rates: Record<string, string>, id: string): string => rates[id]!.split("/")[1]!;
        for (const id of changed) if (id !== classOf(tower)) assert.equal(ceil(now, id), ceil(planned, id));
        const leaves = Object.keys(now).filter((id) => ["20", "12.5", "25"].includes(ceil(planned, id)));
        assert.equal(leaves.length, 3);
        const sum = leaves.reduce((total, id) => total + own(id), 0);
        assert.ok(sum <= mbit + 0.01, `${sum} guaranteed of ${mbit}`);
        assert.deepEqual(lab.plan(ISP), []);
      }
      await tower.release();
      assert.deepEqual(lab.rates(), planned);
    });
  });
}

test("sites inside each other are driven side by side", async () => {
  using lab = new SiteLab(4);
  await lab.apply(ISP);
  using tower = lab.site("Tower 1");
  using sector = lab.site("Sector");
  await lab.apply(ISP);
  const planned = lab.rates();
  for (const [outer, inner] of [
    [10, 8],
    [30, 2],
    [5, 25],
  ] as const) {
    assert.equal(await tower.set(megabits(outer)), outer * 1e6);
    assert.equal(await sector.set(megabits(inner)), inner * 1e6);
    assert.deepEqual(lab.plan(ISP), []);
  }
  await tower.release();
  assert.equal(sector.observe()?.rate, 25e6);
  assert.deepEqual(lab.plan(ISP), []);
  await sector.release();
  assert.deepEqual(lab.rates(), planned);
});

test("a node that moves is followed, one that goes is missing with the nearest name, and comes back live", async () => {
  using lab = new SiteLab(4);
  using sector = lab.site("Sector", "upload");
  await lab.apply(ISP);
  await sector.set(megabits(9));
  const before = classOf(sector);
  const moved = { ...ISP, nodes: [node("Tower 1", 50), node("Mill", 80, [node("Sector", 30)])] };
  await lab.apply(moved);
  assert.notEqual(classOf(sector), before);
  assert.equal(sector.observe()?.rate, 9e6, "in its new class it has the live rate from the start");
  assert.equal(await sector.set(megabits(11)), 11e6);
  assert.deepEqual(lab.plan(moved), []);
  const renamed = { nodes: [node("Tower 1", 50), node("Sektor", 80)], circuits: [] };
  await lab.apply(renamed);
  assert.equal(sector.observe(), undefined);
  await fails(
    sector.set(megabits(3)),
    "AUTORATE_TARGET_MISSING",
    /Cannot find site "Sector": the tree has no node of this name; did you mean "Sektor"\?/,
  );
  await lab.apply(ISP);
  assert.equal(sector.observe()?.rate, 11e6);
  await lab.shaper.removeAll();
  assert.equal(sector.observe(), undefined);
  await sector.release();
  await lab.apply(ISP);
  assert.equal(sector.observe()?.rate, 30e6);
});

test("what another process changes is seen and set again; a class that is gone is missing until it is mended", async () => {
  using lab = new SiteLab(1);
  using tower = lab.site("Tower 1");
  await lab.apply(ISP);
  await tower.set(megabits(20));
  const id = classOf(tower);
  lab.router(`tc class change dev lan0 parent 1:1 classid ${id} htb rate 1mbit ceil 99mbit`);
  assert.equal(tower.observe()?.rate, 99e6);
  assert.equal(lab.plan(ISP).length, 1, "the keeper would put the live rate back, too");
  assert.equal(await tower.set(megabits(20)), 20e6);
  assert.deepEqual(lab.plan(ISP), []);
  lab.router("tc qdisc del dev lan0 root");
  assert.equal(tower.observe(), undefined);
  await fails(
    tower.set(megabits(5)),
    "AUTORATE_TARGET_MISSING",
    new RegExp(`class ${id} of lan0 is not in the kernel`),
  );
  await lab.apply(ISP);
  assert.equal(tower.observe()?.rate, 20e6);
});

test("a circuit's class that is gone takes the whole change back", async () => {
  using lab = new SiteLab(1);
  using tower = lab.site("Tower 1");
  await lab.apply(ISP);
  const planned = lab.rates();
  const victim = Object.keys(planned).find((id) => planned[id]!.endsWith("/12.5"))!;
  lab.router(`tc class del dev lan0 classid ${victim}`);
  const before = lab.rates();
  await fails(tower.set(megabits(2)), "AUTORATE_TARGET_MISSING", /RTM_NEWTCLASS: .*\(ENOENT\)|\(EINVAL\)/);
  assert.deepEqual(lab.rates(), before);
  assert.equal(lab.live.rateOf("Tower 1", "download"), undefined);
  await lab.apply(ISP);
  assert.deepEqual(lab.rates(), planned);
  assert.equal(await tower.set(megabits(2)), 2e6);
});

test("what cannot be driven says why", async () => {
  using lab = new SiteLab(1);
  using tower = lab.site("Tower 1");
  using off = lab.site("Tower 1", "upload", "shaping was taken away, until apply or reload");
  await lab.apply(ISP, { mode: "observe" });
  const missing = "AUTORATE_TARGET_MISSING";
  assert.equal(tower.observe(), undefined);
  await fails(tower.set(megabits(5)), missing, /the shaper only observes \(mode = "observe"\), and limits nothing/);
  await fails(
    off.set(megabits(5)),
    missing,
    /Cannot find site "Tower 1": shaping was taken away, until apply or reload/,
  );
  await lab.apply(ISP);
  for (const rate of [0, -3, Number.NaN, Number.POSITIVE_INFINITY])
    await fails(tower.set(bitsPerSecond(rate)), "AUTORATE_TARGET_REFUSED", /the least rate of all is 8 bit\/s/);
  lab.router("ip link del lan0");
  assert.equal(tower.observe(), undefined);
  assert.equal(tower.absence, 'there is no interface "lan0"');
  await fails(tower.set(megabits(5)), missing, /there is no interface "lan0"/);
});

test("in LibreQoS's dialect, too, a node by its name: live from the first line on, and through plans", async () => {
  using lab = new SiteLab(4);
  const header =
    "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min,Upload Min,Download Max,Upload Max,Comment";
  const rows = [1, 2, 3].map((n) => `${n},C${n},${n},D${n},${n === 3 ? "" : "Tower"},,100.64.1.${n},,2,1,25,8,`);
  const limits = (mbit: number) => ({ downloadBandwidthMbps: mbit, uploadBandwidthMbps: mbit });
  const twin = { ...limits(20), children: {} };
  const network = {
    Tower: { ...limits(50), children: { AP: limits(30), Twin: twin } },
    Mill: { ...limits(80), children: { Twin: twin } },
  };
  const input = {
    network: { text: JSON.stringify(network), file: "network.json" },
    devices: { text: [header, ...rows, ""].join("\n"), file: "ShapedDevices.csv" },
  };
  // A leaf that every kernel has.
  const settings = config({ dialect: "libreqos", leaf: { kind: "fq_codel" } });
  const plan = () => {
    const made = lab.shaper.planAs((machine) => libreqosPlan(input, settings, machine, { processors: 4 }));
    const actions = made.actions.filter(
      (action) => !(action.kind === "qdisc.add" && action.at.qdisc.kind === "fq_codel"),
    );
    return { ...made, actions };
  };
  using tower = lab.site("Tower");
  using twins = lab.site("Twin");
  await lab.shaper.apply(plan(), { kind: "netlink" });
  const planned = lab.rates();
  const id = classOf(tower);
  assert.equal(tower.observe()?.rate, 50e6);
  assert.equal(await tower.set(megabits(20)), 20e6);
  const [own, ceil] = lab.rates()[id]!.split("/").map(Number);
  assert.ok(own! <= 20 && ceil === 20);
  assert.deepEqual(plan().actions, []);
  await fails(twins.set(megabits(5)), "AUTORATE_TARGET_MISSING", /the tree has 2 nodes of this name/);
  await tower.set(megabits(3));
  const low = lab.rates();
  lab.router("tc qdisc del dev lan0 root; tc qdisc del dev wan0 root");
  const anew = plan();
  assert.ok(anew.actions.filter((action) => "line" in action && action.line !== undefined).length > 20);
  await lab.shaper.apply(anew, { kind: "netlink" });
  assert.deepEqual(lab.rates(), low, "built anew it has its live rate, and what is scaled for it, at once");
  assert.deepEqual(plan().actions, []);
  await tower.release();
  assert.deepEqual(lab.rates(), planned);
  assert.deepEqual(plan().actions, []);
});
