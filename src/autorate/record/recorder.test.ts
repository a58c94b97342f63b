import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { linkConfig } from "../../../test/helpers/link-bench.ts";
import { record, scenarioOf, WALL } from "../../../test/helpers/recorded-run.ts";
import { both, type Both } from "../../core/both.ts";
import { SLUICE_DEFAULTS } from "../controllers/sluice/options.ts";
import { sluice } from "../controllers/sluice/sluice.ts";
import { CSV_HEADER, HISTORY_HEADER } from "./csv.ts";
import { Recorder } from "./recorder.ts";
import { readTrace } from "./trace.ts";

const folder = mkdtempSync(join(tmpdir(), "sluice-recorder-"));
after(() => rmSync(folder, { recursive: true }));

const { header, ticks } = record(scenarioOf("download"), sluice(SLUICE_DEFAULTS));
const path = (name: string): string => join(folder, name);
const text = (name: string): string => readFileSync(path(name), "utf8");
const refuse = (file: string, reason: string): void => assert.fail(`${file}: ${reason}`);

test("statistics have a row per decision, in the columns of sqm-autorate", async () => {
  const config = linkConfig({ statsFile: path("stats.csv") });
  {
    await using recorder = new Recorder(config, header, WALL, refuse);
    const { input, decision, ...waiting } = ticks[0]!;
    assert.ok(input && decision);
    recorder.take(waiting, undefined);
    recorder.take({ ...waiting, input }, undefined);
    const silent = { ...input, directions: both((d) => ({ ...input.directions[d], deltas: [] })) };
    recorder.take({ ...waiting, input: silent, decision }, undefined);
    for (const tick of ticks.slice(20, 23)) recorder.take(tick, undefined);
  }
  const lines = text("stats.csv").split("\n");
  assert.equal(lines[0], CSV_HEADER);
  assert.equal(lines.length, 5, "nothing of ticks without a decision or without delays");
  const names = CSV_HEADER.split(",");
  const values = lines[1]!.split(",").map(Number);
  const row = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
  const { input, rates, wall } = ticks[20]!;
  const { download, upload } = input!.directions;
  assert.ok(Math.abs(row["times"]! * 1000 + row["timens"]! / 1e6 - wall) < 0.001);
  assert.ok(row["timens"]! >= 0 && row["timens"]! < 1e9);
  assert.ok(Math.abs(row["rxload"]! - download.load) < 1e-6 && Math.abs(row["txload"]! - upload.load) < 1e-6);
  assert.ok(Math.abs(row["deltadelaydown"]! - download.deltas[2]!) < 1e-6);
  assert.ok(Math.abs(row["deltadelayup"]! - upload.deltas[2]!) < 1e-6);
  assert.deepEqual([row["dlrate"], row["uprate"]], [rates.download, rates.upload]);
});

test("safe rates are written at once, and every five minutes, also over a clock that is set", async () => {
  const config = linkConfig({ speedHistoryFile: path("history.csv") });
  const history: Both<readonly number[]> = { download: [100, 200], upload: [10, 20] };
  {
    await using recorder = new Recorder(config, header, WALL, refuse);
    const take = (seconds: number): void => recorder.take({ ...ticks[0]!, wall: WALL + seconds * 1000 }, history);
    for (const seconds of [0.5, 1, 299, 300.6, 301]) take(seconds);
    // An hour back.
    for (const seconds of [-3300, -3299, -2999.9]) take(seconds);
  }
  const lines = text("history.csv").trimEnd().split("\n");
  assert.equal(lines.shift(), HISTORY_HEADER);
  assert.deepEqual(lines.slice(0, 2), ["0.500000,0,10.000000,100.000000", "0.500000,1,20.000000,200.000000"]);
  assert.deepEqual(
    lines.filter((_, i) => i % 2 === 0).map((line) => Number(line.split(",")[0])),
    [0.5, 300.6, -3300, -2999.9],
  );
});

test("a trace goes on over a restart, with every tick in it", async () => {
  const config = linkConfig({ traceFile: path("trace.jsonl") });
  for (const some of [ticks.slice(0, 10), ticks.slice(0, 4)]) {
    await using recorder = new Recorder(config, header, WALL, refuse);
    for (const tick of some) recorder.take(tick, undefined);
  }
  const trace = readTrace(text("trace.jsonl"));
  if ("reason" in trace) assert.fail(trace.reason);
  assert.deepEqual(trace.faults, []);
  assert.deepEqual(
    trace.runs.map((run) => run.ticks),
    [ticks.slice(0, 10), ticks.slice(0, 4)],
  );
});

test("without a file nothing is written, and a disk that takes nothing stops nothing", async () => {
  const told: string[] = [];
  {
    await using none = new Recorder(linkConfig(), header, WALL, refuse);
    none.take(ticks[0]!, undefined);
    const full = linkConfig({ statsFile: "/dev/full", traceFile: "/dev/full", speedHistoryFile: path("no/such") });
    await using recorder = new Recorder(full, header, WALL, (file, reason) => told.push(`${file}: ${reason}`));
    for (const tick of ticks) recorder.take(tick, { download: [1], upload: [1] });
  }
  assert.equal(told.length, 3, "each file once");
  assert.equal(told.filter((line) => line.startsWith("/dev/full: ENOSPC")).length, 2);
  assert.match(told.join("\n"), /no\/such: ENOENT/);
  assert.equal(existsSync(path("no")), false);
});
