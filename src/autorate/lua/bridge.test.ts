import assert from "node:assert/strict";
import { test } from "node:test";
import { SETUP, pluginReadings, tickInput } from "../../../test/helpers/lua-script.ts";
import { controllerData, describe, readWanted, readingsOf, readingsTable } from "./bridge.ts";

const context = { start: SETUP.now, previous: SETUP.bytes, highLoad: 0.8, histsize: 100 };

test("a controller is told of a tick by the names of both originals", () => {
  assert.deepEqual(controllerData(tickInput(), context), {
    now_s: 7.75,
    elapsed_s: 0.5,
    elapsed_secs: 0.5,
    tick: 3,
    down_del: [1, 2, 3.5, 4, 5],
    dl_deltas: [1, 2, 3.5, 4, 5],
    up_del: [7, 8],
    ul_deltas: [7, 8],
    down_del_stat: 3.5,
    up_del_stat: 7,
    cur_dl_rate: 30_000,
    current_dl_rate: 30_000,
    cur_ul_rate: 6000,
    current_ul_rate: 6000,
    down_utilisation: 15_000,
    dl_utilisation: 15_000,
    up_utilisation: 1500,
    ul_utilisation: 1500,
    rx_load: 0.5,
    tx_load: 0.25,
    rx_bytes: 2_000_000,
    tx_bytes: 700_000,
    prev_rx_bytes: 1_000_000,
    prev_tx_bytes: 600_000,
    base_dl_rate: 50_000,
    base_ul_rate: 10_000,
    min_dl_rate: 10_000,
    min_ul_rate: 2000,
    max_dl_rate: 60_000,
    max_ul_rate: Infinity,
    dl_max_delta_owd: 15,
    ul_max_delta_owd: 30,
    high_load_level: 0.8,
    histsize: 100,
  });
});

test("without answers there is no delay, and the arrays are empty", () => {
  const data = controllerData(tickInput({ deltas: [] }), context);
  assert.deepEqual([data["down_del"], data["down_del_stat"], data["up_del_stat"]], [[], undefined, 7]);
});

test("what a controller returns is read by either name", () => {
  const rates = { download: 20_000.5, upload: -3 };
  assert.deepEqual(readWanted({ next_dl_rate: 20_000.5, next_ul_rate: -3, reselect: true }), { rates, reselect: true });
  assert.deepEqual(readWanted({ dl_rate: 20_000.5, ul_rate: -3, trigger_reselect: true }), { rates, reselect: true });
  assert.deepEqual(readWanted({ dl_rate: 20_000.5, next_ul_rate: -3, reselect: 1 }), { rates, reselect: false });
});

test("what is no rate is told", () => {
  const good = { next_dl_rate: 1, next_ul_rate: 1 };
  for (const [fields, reason] of [
    [{}, "next_dl_rate is nil, wanted a finite number"],
    [{ next_dl_rate: 1 }, "next_ul_rate is nil, wanted a finite number"],
    [{ ...good, next_ul_rate: NaN }, "next_ul_rate is NaN, wanted a finite number"],
    [{ ...good, next_dl_rate: Infinity }, "next_dl_rate is Infinity, wanted a finite number"],
    [{ ...good, next_dl_rate: true }, "next_dl_rate is true, wanted a finite number"],
    [{ ...good, next_dl_rate: "fast" }, 'next_dl_rate is "fast", wanted a finite number'],
    [{ dl_rate: { type: "function" }, ul_rate: 1 }, "dl_rate is a function, wanted a finite number"],
  ] as const)
    assert.deepEqual(readWanted(fields), { reason });
});

test("plugins are told what was decided, when there are answers in both directions", () => {
  const decision = { download: { rate: 31_000.25, branch: "x" }, upload: { rate: 6100.5, branch: "x" } };
  assert.deepEqual(readingsOf(tickInput(), decision, SETUP.now), pluginReadings());
  assert.equal(readingsOf(tickInput({ deltas: [] }), decision, 0), undefined);
  assert.equal(readingsOf(tickInput({}, { deltas: [] }), decision, 0), undefined);
});

test("going through its readings a plugin finds the eleven of the original", () => {
  const { data, hidden } = readingsTable(pluginReadings());
  assert.equal(Object.keys(data).length, 11);
  assert.deepEqual(hidden, { ul_max_delta_owd: 30, dl_max_delta_owd: 15 });
});

test("values are described in words", () => {
  assert.deepEqual([undefined, 5, false, "x", { type: "table" }].map(describe), [
    "nil",
    "5",
    "false",
    '"x"',
    "a table",
  ]);
});
