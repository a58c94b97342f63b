import assert from "node:assert/strict";
import { test } from "node:test";
import { cakeSettings } from "./cake.ts";
import { parseShell } from "./shell.ts";

const read = (text: string) => {
  const script = parseShell(text);
  assert.deepEqual(script.faults, []);
  return cakeSettings(script);
};
const told = (text: string): string[] =>
  read(text).errors.map(({ name, reason, where }) => `${where?.line ?? "-"} ${name}: ${reason}`);

test("what is not assigned is the default, and a float takes a whole number", () => {
  const { settings } = read("dl_if=ifb0\nreflector_ping_interval_s=1\nreflectors=(1.1.1.1 8.8.8.8)\nupload_only=1\n");
  assert.equal(settings?.text("dl_if"), "ifb0");
  assert.equal(settings.text("ul_if"), "wan");
  assert.equal(settings.number("reflector_ping_interval_s"), 1);
  assert.equal(settings.number("shaper_rate_max_adjust_up_load_high"), 1.04);
  assert.deepEqual(settings.list("reflectors"), ["1.1.1.1", "8.8.8.8"]);
  assert.equal(settings.on("upload_only"), true);
  assert.equal(settings.on("min_shaper_rates_enforcement"), false);
});

test("everything that cake-autorate would refuse is told at once", () => {
  assert.deepEqual(
    told(
      [
        "dl_iff=ifb0",
        "no_pingers=2.5",
        "high_load_thr=high",
        "ul_if=''",
        "reflectors=1.1.1.1",
        "debug=(1)",
        "max_ul_shaper_rate_kbps=-5",
        "ping_extra_args=''",
        "bufferbloat_detection_thr=7",
        "connection_active_thr_kbps=6000",
        "base_dl_shaper_rate_kbps=90000",
      ].join("\n"),
    ),
    [
      '1 dl_iff: cake-autorate has no such setting; did you mean "dl_if"?',
      '2 no_pingers: it is "2.5", wanted a whole number',
      '3 high_load_thr: it is "high", wanted a number',
      "4 ul_if: it is empty",
      '5 reflectors: it is "1.1.1.1", wanted an array: ( "192.0.2.1" ... )',
      "6 debug: it is an array, wanted a single value",
      "7 max_ul_shaper_rate_kbps: it is -5, and nothing may be negative",
      "- max_dl_shaper_rate_kbps: it is 80000, less than base_dl_shaper_rate_kbps with 90000",
      "- min_dl_shaper_rate_kbps: it is 5000, less than connection_active_thr_kbps with 6000",
      "- min_ul_shaper_rate_kbps: it is 5000, less than connection_active_thr_kbps with 6000",
      "- bufferbloat_detection_window: it is 6, less than bufferbloat_detection_thr with 7",
    ],
  );
  assert.deepEqual(told("dl_if=wan\nul_if=wan"), ['2 ul_if: it is "wan" as dl_if is']);
  assert.deepEqual(told("dl_if=wan\nul_if=wan\nupload_only=1"), []);
});
