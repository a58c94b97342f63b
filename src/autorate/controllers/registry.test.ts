import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { both } from "../../core/both.ts";
import { parseDocument } from "../../core/config-table.ts";
import type { LinkConfig, Options } from "../config.ts";
import type { Decision, Setup, TickInput } from "../model.ts";
import { CONTROLLER_OPTIONS } from "../settings/options.ts";
import { readAutorate } from "../settings/read.ts";
import { contest, SCENARIO_BY_NAME } from "../simulation/contest.ts";
import { simulate } from "../simulation/run.ts";
import { seeded } from "../simulation/random.ts";
import { cake, CAKE_DEFAULTS } from "./cake.ts";
import type { Controller } from "./controller.ts";
import { EWMA_DEFAULTS, ewma } from "./ewma.ts";
import { controllerPlan } from "./registry.ts";
import { SLUICE_DEFAULTS } from "./sluice/options.ts";
import { sluice } from "./sluice/sluice.ts";

/** A link as the daemon reads it. */
function linkOf(controller: string, more = ""): LinkConfig {
  const toml = `[autorate.links.wan]
controller = "${controller}"
download_interface = "ifb0"
upload_interface = "wan"
download_base = "20mbit"
upload_base = "5mbit"
${more}`;
  const document = parseDocument(toml, "sluice.toml");
  assert.ok(!("problem" in document));
  const { config, problems } = readAutorate(document);
  return config?.links[0] ?? assert.fail(problems.map(({ message }) => message).join("\n"));
}

/** Inputs of a run, recorded: what controllers do with them can be compared. */
const recorded = (() => {
  const inputs: TickInput[] = [];
  let setup: Setup | undefined;
  const listener: Controller<undefined> = {
    name: "listener",
    period: 0.1,
    init(told) {
      setup = told;
      return undefined;
    },
    step: (state, { directions }) => ({
      state,
      decision: both((d) => ({ rate: directions[d].bounds.base, branch: "" })),
    }),
  };
  simulate(SCENARIO_BY_NAME.get("download")!(1), listener, (input) => inputs.push(input));
  return { setup: setup!, inputs: inputs.slice(0, 400) };
})();

async function decisionsOf(link: LinkConfig): Promise<Decision[]> {
  const driver = await controllerPlan(link, seeded(9)).open(recorded.setup);
  const made: Decision[] = [];
  for (const input of recorded.inputs) made.push(await driver.decide(input));
  await driver[Symbol.asyncDispose]();
  return made;
}

function decisionsBy<S>(controller: Controller<S>): Decision[] {
  const random = seeded(9);
  let state = controller.init(recorded.setup, random);
  return recorded.inputs.map((input) => {
    const step = controller.step(state, input, random);
    state = step.state;
    return step.decision;
  });
}

describe("controllers by their names", () => {
  it("are all there, each made from its defaults, with a pace and a start of its own", async () => {
    const names = Object.keys(CONTROLLER_OPTIONS);
    assert.deepEqual(names.toSorted(), ["cake", "ewma", "sluice"]);
    for (const name of names) {
      const plan = controllerPlan(linkOf(name), seeded(1));
      const { period, share } = plan;
      assert.ok(period >= 0.05 && period <= 1 && share > 0.3 && share <= 1);
      await using driver = await plan.open(recorded.setup);
      assert.deepEqual([driver.name, driver.period], [name, period]);
      const decision = await driver.decide(recorded.inputs[0]!);
      for (const { rate, branch } of [decision.download, decision.upload]) assert.ok(rate > 0 && branch !== "");
    }
  });

  it("do by default what their own defaults say", async () => {
    const link = linkOf("sluice");
    const { highLoad, activeRate } = link;
    assert.equal(highLoad, SLUICE_DEFAULTS.highLoad);
    assert.deepEqual(await decisionsOf(link), decisionsBy(sluice({ ...SLUICE_DEFAULTS, activeRate })));
    assert.deepEqual(await decisionsOf(linkOf("ewma")), decisionsBy(ewma({ ...EWMA_DEFAULTS, activeRate })));
    const ofCake = linkOf("cake");
    const options = { ...CAKE_DEFAULTS, activeRate: ofCake.activeRate };
    assert.equal(ofCake.highLoad * 100, CAKE_DEFAULTS.highLoad);
    assert.deepEqual(await decisionsOf(ofCake), decisionsBy(cake(options)));
  });

  it("do something else with each option that is given", async () => {
    const changes: Readonly<Record<string, readonly Options[]>> = {
      sluice: [
        { headroom: 0.2 },
        { excess: 0.3 },
        { hold_first_s: 3, hold_most_s: 5 },
        { drain_time_s: 3 },
        { drain_floor: 0.9 },
        { idle_decay: 0.1 },
      ],
      ewma: [
        { compat: "lua" },
        { compat: "rust" },
        { speed_hist_size: 3 },
        { whole_ring: false },
        { idle_decay: true },
      ],
      cake: [
        { bufferbloat_detection_window: 12 },
        { bufferbloat_detection_thr: 1 },
        { shaper_rate_max_adjust_up_load_high: 1.2 },
        { shaper_rate_max_adjust_down_bufferbloat: 0.5 },
        { shaper_rate_adjust_up_load_low: 1.3, shaper_rate_adjust_down_load_low: 0.7 },
        { decay_refractory_period_ms: 100 },
      ],
    };
    const make = SCENARIO_BY_NAME.get("both")!;
    for (const [controller, all] of Object.entries(changes)) {
      const figures = (options: Options) => contest(make, 1, { label: controller, controller, options });
      const usual = await figures({});
      for (const options of all)
        assert.ok(!isDeepStrictEqual(await figures(options), usual), `${controller}: ${JSON.stringify(options)}`);
    }
  });

  it("go by what the link says of load, traffic and thresholds", async () => {
    for (const name of ["sluice", "ewma", "cake"]) {
      const other = await decisionsOf(linkOf(name, "high_load_level = 0.4"));
      assert.ok(!isDeepStrictEqual(other, await decisionsOf(linkOf(name))), `${name}: high_load_level`);
    }
    const late = await decisionsOf(linkOf("cake", "download_delay_ms = 5"));
    assert.ok(!isDeepStrictEqual(late, await decisionsOf(linkOf("cake"))), "download_delay_ms");
  });

  it("refuse a value that no reader would let through", () => {
    const link = linkOf("sluice");
    assert.throws(() => controllerPlan({ ...link, options: { headroom: 9 } }, seeded(1)), /option headroom: it is 9/);
    assert.throws(() => controllerPlan({ ...linkOf("ewma"), options: { compat: "perl" } }, seeded(1)), /compat/);
  });

  it("know nothing of options that are not in their tables", async () => {
    const document = parseDocument(
      '[autorate.links.wan]\nupload_interface = "wan"\nupload_base = "5mbit"\n[autorate.links.wan.options]\nheadrom = 0.1\n',
      "sluice.toml",
    );
    assert.ok(!("problem" in document));
    const { config, problems } = readAutorate(document);
    assert.equal(config, undefined);
    assert.match(problems[0]!.message, /headrom.*did you mean "headroom"/);
    // What gets past the reader changes nothing.
    const link = linkOf("sluice");
    const stray = { ...link, options: { ...link.options, headrom: 0.5 } };
    assert.deepEqual(await decisionsOf(stray), await decisionsOf(link));
  });

  it("lets the longest rest be no shorter than the first", async () => {
    const options = "[autorate.links.wan.options]\nhold_first_s = 2\nhold_most_s = 0.1";
    const same = "[autorate.links.wan.options]\nhold_first_s = 2\nhold_most_s = 2";
    assert.deepEqual(await decisionsOf(linkOf("sluice", options)), await decisionsOf(linkOf("sluice", same)));
  });

  it("takes a path for a script, which is loaded only when it is opened", async () => {
    const plan = controllerPlan({ ...linkOf("sluice"), controller: "/nowhere/own.lua", options: {} }, seeded(1));
    assert.equal(plan.period, 0.5);
    await assert.rejects(plan.open(recorded.setup), /own\.lua/);
  });
});
