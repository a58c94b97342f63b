import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { applyEdit, circuit, config, edit, facts, ispOf, node, world } from "../../test/helpers/isp.ts";
import { execute } from "../core/executor.ts";
import { type BitsPerSecond, bitsPerSecond, megabits } from "../core/units.ts";
import { SHAPER_ACTIONS, tcLine } from "./actions.ts";
import type { Allocation } from "./allocation.ts";
import { buildShaper } from "./build.ts";
import { FakeMachine } from "./executors/fake.ts";
import { type LiveRate, LiveRates, withLiveRates, withRate } from "./live-rates.ts";
import { type Direction, DIRECTIONS, type Isp, type ShaperConfig } from "./model.ts";
import { planShaper } from "./plan.ts";
import { planSite } from "./site-plan.ts";
import { type Sites, sitesOf } from "./sites.ts";

const LINKS: ShaperConfig["link"][] = [
  { kind: "bridge", lan: "lan0", internet: "wan0" },
  { kind: "stick", interface: "stick0", lanVlan: 2, internetVlan: 3 },
];

/** A shaped fake machine. */
class Shaped {
  readonly machine: FakeMachine;
  readonly #config: ShaperConfig;
  readonly #queues: number;
  #allocation: Allocation = new Map();
  isp: Isp;
  rates: readonly LiveRate[] = [];

  constructor(isp: Isp, link: ShaperConfig["link"], queues: number) {
    this.isp = isp;
    this.#config = config({ link, minimums: "scale" });
    this.#queues = queues;
    this.machine = new FakeMachine(link.kind === "stick" ? { stick0: queues } : { lan0: queues, wan0: queues });
  }

  plan(rates = this.rates) {
    const machine = { facts: facts(this.#queues), prior: this.#allocation, observed: this.machine.observe() };
    const built = buildShaper({ isp: this.isp, config: this.#config, ...machine });
    const sites = sitesOf(this.#config, machine.facts, built);
    const { actions } = planShaper(withLiveRates(built.desired, sites, rates), machine.observed);
    return { actions, built, sites };
  }

  async apply(): Promise<Sites> {
    const { actions, built, sites } = this.plan();
    await execute({ actions, warnings: [] }, SHAPER_ACTIONS, this.machine);
    this.#allocation = built.allocation;
    return sites;
  }

  /** The direct plan of a site, as its target makes it. */
  planSite(sites: Sites, name: string, direction: Direction, rate: BitsPerSecond | undefined) {
    const place = sites.places.get(name)![0]![direction];
    const seen = this.machine.devices.get(place.device)!.classes.find((at) => at.classid === place.classid)!.htb;
    return planSite({ sites, site: { name, direction }, place, rates: this.rates, seen }, rate);
  }

  /** Carries it out. */
  async set(sites: Sites, name: string, direction: Direction, rate: BitsPerSecond | undefined): Promise<number> {
    const { actions } = this.planSite(sites, name, direction, rate);
    await execute({ actions, warnings: [] }, SHAPER_ACTIONS, this.machine);
    this.rates = withRate(this.rates, { name, direction }, rate);
    return actions.length;
  }

  print(): string[] {
    return [...this.machine.devices.values()].flatMap((device) => device.print());
  }
}

const ISP: Isp = {
  nodes: [node("Tower", 50, [node("Sector", 20)], { min: 30 }), node("Mill", 80)],
  circuits: [
    circuit("c1", "Tower", 20, { min: 4, address: "100.64.1.1" }),
    circuit("c2", "Sector", 10, { min: 6, address: "100.64.1.2" }),
    circuit("c3", "Mill", 60, { min: 20, address: "100.64.1.3" }),
  ],
};

describe("a site's plan", () => {
  test("is of one class while what is guaranteed below fits, and of the few below when it does not", async () => {
    const shaped = new Shaped(ISP, LINKS[0]!, 1);
    const sites = await shaped.apply();
    const lines = (mbit: number): string[] =>
      shaped.planSite(sites, "Tower", "download", megabits(mbit)).actions.map((action) => tcLine(action)!);
    assert.match(
      lines(40).join("\n"),
      /^class change dev lan0 parent 1:1 classid 1:\w+ htb rate 40mbit ceil 40mbit .*$/,
    );
    assert.equal(lines(50).length, 0, "the planned one");
    const few = lines(5);
    assert.match(few[0]!, / rate 5mbit ceil 5mbit burst 6250b cburst 6250b /);
    assert.equal(few.length, 4, "the site, its sector, and two circuits");
    for (const line of few.slice(1)) assert.match(line, / ceil (20|10)mbit /);
    assert.equal(await shaped.set(sites, "Tower", "download", megabits(5)), 4);
    assert.deepEqual(shaped.plan().actions, [], "a plan of everything finds nothing to do");
    assert.equal(lines(5).length, 0);
    assert.equal(await shaped.set(sites, "Tower", "download", megabits(6)), 4);
    assert.equal(await shaped.set(sites, "Tower", "download", megabits(40)), 4);
  });

  test("goes by what the kernel shows of the site, when somebody else changed it", async () => {
    const shaped = new Shaped(ISP, LINKS[0]!, 1);
    const sites = await shaped.apply();
    await shaped.set(sites, "Mill", "upload", megabits(40));
    const { device, classid } = sites.places.get("Mill")![0]!.upload;
    const fake = shaped.machine.devices.get(device)!;
    const at = fake.classes.find((found) => found.classid === classid)!;
    fake.changeClass({ classid, htb: { ...at.htb, ceil: megabits(99) } });
    const { actions } = shaped.planSite(sites, "Mill", "upload", megabits(40));
    assert.equal(actions.length, 1);
    assert.ok(actions[0]!.kind === "class.change" && actions[0].before.ceil === 99e6);
  });
});

test("for any tree, any rates and any edits between: a whole plan finds nothing to do, and releasing all restores it", async () => {
  const step = fc.record({
    pick: fc.nat(),
    direction: fc.constantFrom(...DIRECTIONS),
    rate: fc.option(
      fc.integer({ min: 8, max: 500e6 }).map((rate) => bitsPerSecond(rate)),
      { nil: undefined, freq: 5 },
    ),
    edit: fc.option(edit, { nil: undefined, freq: 3 }),
  });
  await fc.assert(
    fc.asyncProperty(
      world,
      fc.array(step, { maxLength: 8 }),
      fc.constantFrom(...LINKS),
      fc.constantFrom(1, 4),
      async (start, steps, link, queues) => {
        let w = start;
        const shaped = new Shaped(ispOf(w), link, queues);
        let sites = await shaped.apply();
        for (const { pick, direction, rate, edit: change } of steps) {
          if (change) {
            w = applyEdit(w, change);
            shaped.isp = ispOf(w);
            sites = await shaped.apply();
            assert.deepEqual(shaped.plan().actions, [], "what is live goes through an apply");
          }
          const names = [...sites.places.keys()];
          const name = names[pick % names.length];
          if (name === undefined) continue;
          await shaped.set(sites, name, direction, rate);
          assert.deepEqual(shaped.plan().actions, [], "the next look finds nothing to do");
          assert.equal(await shaped.set(sites, name, direction, rate), 0, "nor does the site's own plan");
        }
        for (const { name, direction } of shaped.rates) {
          if (sites.places.has(name)) await shaped.set(sites, name, direction, undefined);
        }
        assert.deepEqual(shaped.plan([]).actions, [], "as it is planned");
      },
    ),
    { numRuns: 150 },
  );
});

test("undoing a site's plan restores every class", async () => {
  const shaped = new Shaped(ISP, LINKS[1]!, 4);
  const sites = await shaped.apply();
  const before = shaped.print();
  const { actions } = shaped.planSite(sites, "Tower", "upload", megabits(3));
  assert.equal(actions.length, 4);
  await execute({ actions, warnings: [] }, SHAPER_ACTIONS, shaped.machine);
  assert.notDeepEqual(shaped.print(), before);
  const back = actions.toReversed().flatMap((action) => SHAPER_ACTIONS.inverse(action));
  await execute({ actions: back, warnings: [] }, SHAPER_ACTIONS, shaped.machine);
  assert.deepEqual(shaped.print(), before);
});

describe("live rates", () => {
  test("are kept by name and direction, and mean nothing where nothing is limited or no such node is", async () => {
    const shaped = new Shaped(ISP, LINKS[0]!, 4);
    const { built, sites } = shaped.plan();
    const rates: LiveRate[] = [
      { name: "Tower", direction: "download", rate: megabits(7) },
      { name: "Nobody", direction: "download", rate: megabits(7) },
    ];
    const ceils = (of: Sites): number[] =>
      withLiveRates(built.desired, of, rates).devices.flatMap(({ classes }) => classes.map(({ htb }) => htb.ceil));
    const planned = built.desired.devices.flatMap(({ classes }) => classes.map(({ htb }) => htb.ceil));
    assert.equal(ceils(sites).filter((ceil, i) => ceil !== planned[i]).length, 1);
    assert.deepEqual(ceils({ ...sites, mode: "observe" }), planned);
    const twice = new Map(sites.places).set("Tower", [sites.places.get("Tower")![0]!, sites.places.get("Mill")![0]!]);
    assert.deepEqual(ceils({ ...sites, places: twice }), planned, "of two nodes of one name neither is meant");
  });

  test("hold the tree only while somebody needs it", () => {
    const { sites } = new Shaped(ISP, LINKS[0]!, 1).plan();
    const live = new LiveRates();
    live.stands(sites);
    assert.equal(live.sites, undefined);
    {
      using _held = live.hold();
      live.stands(sites);
      assert.equal(live.sites, sites);
      live.set({ name: "Tower", direction: "upload" }, megabits(3));
      assert.equal(live.rateOf("Tower", "upload"), 3e6);
      assert.equal(live.rateOf("Tower", "download"), undefined);
      live.set({ name: "Tower", direction: "upload" }, undefined);
      assert.deepEqual(live.rates, []);
      live.stands(undefined);
      assert.equal(live.sites, undefined);
    }
    live.stands(sites);
    assert.equal(live.sites, undefined);
  });
});
