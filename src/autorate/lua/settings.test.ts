import assert from "node:assert/strict";
import { test } from "node:test";
import { SETUP } from "../../../test/helpers/lua-script.ts";
import type { LinkConfig } from "../config.ts";
import { luaSettings, settingsTable } from "./settings.ts";

const link: LinkConfig = {
  name: "home",
  controller: "/etc/sluice/mine.lua",
  options: { histsize: 40, mood: "good" },
  plugins: [],
  pluginSettings: { rate_cap: { max_dl_rate: 90_000 } },
  luaOnError: "min",
  directions: {
    download: {
      target: { kind: "cake", device: "ifb4wan" },
      bounds: SETUP.bounds.download,
      threshold: 15,
      adjust: true,
    },
  },
  probe: { modes: ["timestamp"], interval: 0.5, reflectors: 5, reselect: 900 },
  highLoad: 0.8,
  activeRate: 100,
  onSilence: "hold",
  idleSleep: 0,
  restore: false,
  statsFile: "/tmp/stats.csv",
};

test("a link's settings have the names of sqm-autorate; what is not known is left out", () => {
  const { fields, sections } = settingsTable(luaSettings(link, SETUP));
  assert.deepEqual(fields, {
    name: "home",
    dl_if: "ifb4wan",
    base_dl_rate: 50_000,
    base_ul_rate: 10_000,
    min_dl_rate: 10_000,
    min_ul_rate: 2000,
    max_dl_rate: 60_000,
    max_ul_rate: Infinity,
    dl_max_delta_owd: 15,
    high_load_level: 0.8,
    histsize: 40,
    tick_duration: 0.5,
    min_change_interval: 0.5,
    num_reflectors: 5,
    peer_reselection_time: 15,
    reflector_type: "icmp",
    rate_controller: "/etc/sluice/mine.lua",
    output_statistics: true,
    stats_file: "/tmp/stats.csv",
  });
  assert.deepEqual(sections, { rate_cap: { max_dl_rate: 90_000 } });
});

test("a site stands for its interface, and the history has its usual length", () => {
  const upload = {
    target: { kind: "site", name: "Tower" },
    bounds: SETUP.bounds.upload,
    threshold: 9,
    adjust: true,
  } as const;
  const settings = luaSettings({ ...link, options: {}, directions: { upload } }, SETUP);
  assert.deepEqual(
    [settings.ul_if, settings.ul_max_delta_owd, settings.dl_if, settings.histsize],
    ["Tower", 9, undefined, 100],
  );
});
