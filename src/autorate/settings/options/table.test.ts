import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCakeOptions } from "./cake.ts";
import { EWMA_OPTIONS } from "./ewma.ts";
import { optionValues } from "./table.ts";

test("options are typed, and what is left out is the default", () => {
  const { speed_hist_size: size, compat, whole_ring: whole } = optionValues(EWMA_OPTIONS, { compat: "lua" });
  const typed: readonly [number, "none" | "lua" | "rust", boolean] = [size, compat, whole];
  assert.deepEqual(typed, [100, "lua", true]);
  assert.throws(() => optionValues(EWMA_OPTIONS, { compat: "perl" }), /Cannot use the option compat: it is "perl"/);
});

test("cake's numbers must go together", () => {
  assert.deepEqual(checkCakeOptions({}, 0.05), []);
  const faults = checkCakeOptions({ bufferbloat_detection_thr: 7 }, 0.1);
  assert.deepEqual(
    faults.map(({ key, severity }) => [key, severity]),
    [
      ["bufferbloat_detection_thr", "error"],
      ["bufferbloat_refractory_period_ms", "warning"],
    ],
  );
});
