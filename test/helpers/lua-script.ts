/** Lua scripts of tests in files that are gone afterwards, and the ticks that they are asked about. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { PluginReadings } from "../../src/autorate/lua/bridge.ts";
import type { DirectionInput, Setup, TickInput } from "../../src/autorate/model.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-lua-"));
after(() => rmSync(folder, { recursive: true, force: true }));
let written = 0;

/** Writes a script; gives its path. */
export function luaFile(text: string, name = "test.lua"): string {
  written += 1;
  const path = join(folder, `${written}-${name}`);
  writeFileSync(path, text);
  return path;
}

/** A path in the same folder with nothing there. */
export const nothingAt = (name: string): string => join(folder, name);

/** Deadlines for tests of everything but deadlines, on machines with something else to do. Milliseconds. */
export const PATIENT = { deadline: 20_000, startDeadline: 20_000 };

const DOWNLOAD: DirectionInput = {
  deltas: [1, 2, 3.5, 4, 5],
  rate: 30_000,
  bytes: 2_000_000,
  achieved: 15_000,
  load: 0.5,
  bounds: { min: 10_000, base: 50_000, max: 60_000 },
  threshold: 15,
};

const UPLOAD: DirectionInput = {
  deltas: [7, 8],
  rate: 6000,
  bytes: 700_000,
  achieved: 1500,
  load: 0.25,
  bounds: { min: 2000, base: 10_000, max: Infinity },
  threshold: 30,
};

/** A tick. */
export function tickInput(download: Partial<DirectionInput> = {}, upload: Partial<DirectionInput> = {}): TickInput {
  const directions = { download: { ...DOWNLOAD, ...download }, upload: { ...UPLOAD, ...upload } };
  return { now: 107.75, elapsed: 0.5, tick: 3, directions, samples: [], outstanding: [] };
}

/** What a controller is made for. */
export const SETUP: Setup = {
  bounds: { download: DOWNLOAD.bounds, upload: UPLOAD.bounds },
  start: { download: 30_000, upload: 6000 },
  now: 100,
  bytes: { download: 1_000_000, upload: 600_000 },
  period: 0.5,
};

/** What plugins are told, with other values where they are given. */
export const pluginReadings = (readings: Partial<PluginReadings> = {}): PluginReadings => ({
  now_s: 7,
  tx_load: 0.25,
  rx_load: 0.5,
  up_del_stat: 7,
  down_del_stat: 3.5,
  up_utilisation: 1500,
  down_utilisation: 15_000,
  cur_ul_rate: 6000,
  cur_dl_rate: 30_000,
  next_ul_rate: 6100.5,
  next_dl_rate: 31_000.25,
  ul_max_delta_owd: 30,
  dl_max_delta_owd: 15,
  ...readings,
});
