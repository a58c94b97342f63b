import assert from "node:assert/strict";
import { test } from "node:test";
import type { LuaFields } from "./messages.ts";
import { applyResults, type PluginOutcome } from "./overrides.ts";

const before: PluginOutcome = {
  rates: { download: 30_000.5, upload: 6000 },
  thresholds: { download: 15, upload: 15 },
  notes: ["earlier"],
};

test("what is returned takes the place of what was decided", () => {
  const results: LuaFields = { next_dl_rate: 20_000.25, next_ul_rate: 0, dl_max_delta_owd: 9, ul_max_delta_owd: 7 };
  assert.deepEqual(applyResults(before, "p", results), {
    outcome: {
      rates: { download: 20_000.25, upload: 0 },
      thresholds: { download: 9, upload: 7 },
      notes: [
        "earlier",
        "p: ul_max_delta_owd 15 -> 7",
        "p: dl_max_delta_owd 15 -> 9",
        "p: next_ul_rate 6000 -> 0",
        "p: next_dl_rate 30000.5 -> 20000.25",
      ],
    },
    ignored: [],
  });
});

test("nothing returned changes nothing, nor does the same again, nor another key", () => {
  assert.deepEqual(applyResults(before, "p", {}), { outcome: before, ignored: [] });
  const same = { next_dl_rate: 30_000.5, ul_max_delta_owd: 15, base_dl_rate: 1 };
  assert.deepEqual(applyResults(before, "p", same), { outcome: before, ignored: [] });
});

test("each value that is no use is ignored by itself, with a note", () => {
  for (const [value, words] of [
    [NaN, "NaN"],
    [Infinity, "Infinity"],
    [-Infinity, "-Infinity"],
    [-1, "-1"],
    [true, "true"],
    ["much", '"much"'],
    [{ type: "table" }, "a table"],
  ] as const) {
    const note = `p: next_dl_rate is ${words}, wanted a number of 0 or more: ignored`;
    const { outcome, ignored } = applyResults(before, "p", { next_dl_rate: value, next_ul_rate: 5000 });
    assert.deepEqual(outcome.rates, { download: 30_000.5, upload: 5000 });
    assert.deepEqual(ignored, [note]);
    assert.ok(outcome.notes.includes(note));
  }
});
