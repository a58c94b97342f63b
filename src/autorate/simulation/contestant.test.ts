import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { both } from "../../core/both.ts";
import { CONTESTANTS, linkOf, parseContestant } from "./contestant.ts";

const reason = (label: string): string => {
  const read = parseContestant(label);
  return "reason" in read ? read.reason : assert.fail(`${label} was taken`);
};

describe("who takes part", () => {
  it("is everybody by the name alone", () => {
    assert.deepEqual(CONTESTANTS, ["none", "cake", "ewma", "sluice"]);
    for (const label of CONTESTANTS) {
      const controller = label === "none" ? undefined : label;
      assert.deepEqual(parseContestant(label), { label, controller, options: {} });
    }
  });

  it("may have options: numbers, words, yes and no", () => {
    const label = "ewma:compat=lua,speed_hist_size=20,idle_decay=true";
    const options = { compat: "lua", speed_hist_size: 20, idle_decay: true };
    assert.deepEqual(parseContestant(label), { label, controller: "ewma", options });
  });

  it("is told why not", () => {
    assert.match(reason("slice"), /no controller "slice", only none, cake, ewma, sluice; did you mean "sluice"/);
    assert.match(reason("constructor"), /no controller/);
    assert.match(reason("none:x=1"), /takes none/);
    assert.match(reason("sluice:"), /"" in "sluice:" is no option/);
    assert.match(reason("sluice:=3"), /is no option/);
    assert.match(reason("sluice:headroom=much"), /it is "much", wanted a number/);
    assert.match(reason("cake:bufferbloat_detection_thr=9"), /more than bufferbloat_detection_window with 6/);
    assert.match(reason("/etc/own.lua"), /is a script/);
    assert.match(reason("own.lua:x=1"), /is a script/);
  });
});

describe("the link of a simulated line", () => {
  const bounds = both((d) =>
    d === "download" ? { min: 400, base: 2000, max: 3200 } : { min: 100, base: 500, max: 800 },
  );

  it("is what the daemon would read, with its defaults", () => {
    const read = linkOf(
      { label: "cake", controller: "cake", options: { decay_refractory_period_ms: 500 } },
      { bounds },
    );
    const link = "link" in read ? read.link : undefined;
    assert.deepEqual(
      both((d) => link!.directions[d]!.bounds),
      bounds,
    );
    assert.equal(link!.highLoad, 0.75);
    assert.equal(link!.directions.upload!.threshold, 30);
    assert.equal(link!.activeRate, 50, "a tenth of the lower base: 2 Mbit/s would be more than the line ever carries");
    assert.equal(link!.options["decay_refractory_period_ms"], 500);
    assert.equal(link!.options["bufferbloat_detection_window"], 6);
  });

  it("is not there for nobody", () => {
    assert.deepEqual(linkOf({ label: "none", controller: undefined, options: {} }, { bounds }), { link: undefined });
  });
});
