import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EWMA_DEFAULTS, ewma } from "../controllers/ewma.ts";
import { SLUICE_DEFAULTS } from "../controllers/sluice/options.ts";
import { sluice } from "../controllers/sluice/sluice.ts";
import { figuresOf } from "../figures/figures.ts";
import { both } from "../../core/both.ts";
import { contest, SCENARIO_BY_NAME } from "./contest.ts";
import type { Contestant } from "./contestant.ts";
import { simulate } from "./run.ts";

const make = SCENARIO_BY_NAME.get("both")!;
const plain = (controller: string | undefined): Contestant => ({ label: "x", controller, options: {} });

describe("a contest", () => {
  it("has the figures of the controller that it names", async () => {
    // Of a line that is fast enough for the usual limit of idleness.
    const options = { ...EWMA_DEFAULTS, activeRate: 500 };
    const figures = both((d) => figuresOf(simulate(make(3), ewma(options))[d]));
    assert.deepEqual(await contest(make, 3, plain("ewma")), figures);
  });

  it("knows Sluice's own, too", async () => {
    const figures = both((d) => figuresOf(simulate(make(3), sluice(SLUICE_DEFAULTS))[d]));
    assert.deepEqual(await contest(make, 3, plain("sluice")), figures);
  });

  it("goes without control", async () => {
    const figures = both((d) => figuresOf(simulate(make(3), undefined)[d]));
    assert.deepEqual(await contest(make, 3, plain(undefined)), figures);
  });

  it("says what options cannot be", async () => {
    const contestant: Contestant = { label: "mine", controller: "sluice", options: { headroom: 7 } };
    await assert.rejects(contest(make, 1, contestant), /Cannot use "mine": .*headroom: it is 7/);
  });
});
