/** The metrics of a live daemon, by Prometheus' own checker and by what they say. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { findPromtool } from "../../tools/promtool.ts";
import { Unavailable } from "../../tools/vm/apt.ts";
import { DaemonLab } from "../helpers/daemon.ts";

let lab: DaemonLab;
let promtool = "";
let reason: string | undefined;
before(async () => {
  try {
    promtool = findPromtool(join(import.meta.dirname, "../.."));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    reason = `promtool cannot be had: ${error.message}`;
  }
  lab = new DaemonLab();
  await lab.start();
});
after(() => lab[Symbol.asyncDispose]());

test("promtool finds nothing wrong with them", async (t) => {
  if (reason !== undefined) return t.skip(reason);
  const input = await lab.client.call("metrics", {});
  const { status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], { input, encoding: "utf8" });
  assert.equal(`${stdout}${stderr}`, "");
  assert.equal(status, 0);
  // It is the checker that says so.
  assert.notEqual(spawnSync(promtool, ["check", "metrics"], { input: "a{\n" }).status, 0);
  return undefined;
});

/** The value of a series. */
async function value(series: string): Promise<number | undefined> {
  const line = (await lab.client.call("metrics", {})).split("\n").find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.split(" ").at(-1));
}

test("they say what is", async () => {
  assert.equal(await value("sluice_config_last_reload_successful"), 1);
  assert.equal(await value('sluice_health_condition{code="CONFIG_REFUSED",severity="error"}'), 0);
  assert.equal(await value("sluice_shaper_circuits"), 14);
  assert.equal(await value('sluice_shaper_node_sent_bytes_total{node="Alder Hill",direction="download"}'), 0);
  const before = (await value('sluice_http_requests_total{route="events",status="200"}')) ?? 0;
  await lab.client.call("events", {});
  assert.equal(await value('sluice_http_requests_total{route="events",status="200"}'), before + 1);
  lab.write("network.json", (text) => `${text},`);
  assert.equal(lab.cli(["reload"]).status, 65);
  assert.equal(await value("sluice_config_last_reload_successful"), 0);
  assert.equal(await value('sluice_health_condition{code="CONFIG_REFUSED",severity="error"}'), 1);
  assert.match(lab.cli(["health"]).stdout, /\[CONFIG_REFUSED\]/);
  assert.equal(lab.cli(["health"]).status, 1);
  const conditions = await lab.client.call("health", {});
  const series = (await lab.client.call("metrics", {})).match(/^sluice_health_condition\{code="(\w+)"/gm) ?? [];
  assert.equal(series.length, conditions.declared.length, "the same list in the API and in the metrics");
});
