/** Links in a live daemon: what they do to the kernel, what they tell, and everything that can go wrong around them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as v from "valibot";
import { ip } from "../../demo/lab.ts";
import { ROUTES } from "../../src/api/routes.ts";
import { liveTick } from "../../src/api/schemas/autorate.ts";
import { CSV_HEADER } from "../../src/autorate/record/csv.ts";
import { readTrace } from "../../src/autorate/record/trace.ts";
import { findPromtool } from "../../tools/promtool.ts";
import { Unavailable } from "../../tools/vm/apt.ts";
import { AutorateLab, REFLECTORS, SOON } from "../helpers/autorate-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { exact } from "../helpers/exact-schema.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** Delays that are made are far above the threshold, and those of a busy machine below it. */
const COMMON = `
[autorate]
reflector_file = "reflectors.csv"
probe_interval_s = 0.1
download_delay_ms = 150
upload_delay_ms = 150
idle_sleep_s = 0
`;
const A = `
[autorate.links.a]
download_target = "tbf dl0"
upload_target = "htb ul0 1:1"
download_base = "10mbit"
download_min = "2mbit"
download_max = "20mbit"
upload_base = "4mbit"
upload_min = "1mbit"
upload_max = "8mbit"
trace_file = "a.jsonl"
stats_file = "a.csv"
`;
const B = `
[autorate.links.b]
controller = "ewma"
download_target = "tbf dl1"
download_base = "10mbit"
download_min = "2mbit"
download_max = "20mbit"
restore_on_exit = false
speed_history_file = "b.csv"
`;
const c = (more = ""): string => `
[autorate.links.c]
download_interface = "dl2"
download_base = "6mbit"
${more}
`;
/** What the links of A and B come to when nothing holds them back, kbit/s. */
const MOST = { dl0: 20_000, ul0: 8000, dl1: 20_000 };
const BLOAT = 400;

/** A lab with the interfaces of all links, loaded. */
async function started(config: string): Promise<AutorateLab> {
  const lab = new AutorateLab(config);
  for (const name of ["dl0", "ul0", "dl1", "dl2"]) lab.device(name);
  lab.tc(
    "qdisc replace dev ul0 root handle 2: pfifo",
    "qdisc replace dev ul0 root handle 1: htb default 1",
    "class add dev ul0 parent 1: classid 1:1 htb rate 77mbit quantum 1514",
  );
  await lab.start();
  await lab.load("dl0", 1.5 * MOST.dl0);
  await lab.load("ul0", 1.5 * MOST.ul0);
  await lab.load("dl1", 1.5 * MOST.dl1);
  return lab;
}

/** Both directions of A are at their most, or have just looked whether it is too much. */
async function open(lab: AutorateLab): Promise<void> {
  await lab.rate("a", "download", "dl0", 0.9 * MOST.dl0, MOST.dl0);
  await lab.rate("a", "upload", "ul0", 0.9 * MOST.ul0, MOST.ul0);
}

/** Ticks of thirty at which a machine that has stood still for a moment may see a delay. */
const LATE = 8;

/** For three seconds nothing is taken for a queue, but for what a busy machine makes of the delays: some milliseconds. */
async function unmoved(lab: AutorateLab): Promise<void> {
  const ticks = await lab.ticks("a", 30);
  for (const tick of ticks) {
    const { state, download, upload } = tick;
    const told = JSON.stringify(tick);
    assert.equal(state, "running", told);
    assert.ok(download.rateBitsPerSecond > 600 * MOST.dl0 && upload.rateBitsPerSecond > 600 * MOST.ul0, told);
  }
  const late = ticks.filter(({ download, upload }) => !(download.deltaMs! < 100 && upload.deltaMs! < 100));
  assert.ok(late.length <= LATE, JSON.stringify(late));
}

test("links in a daemon", async (t) => {
  await using lab = await started(COMMON + A + B);

  await t.test("rates follow delay and load, in each direction by itself", async () => {
    await open(lab);
    lab.reflect({ down: 8 + BLOAT });
    await lab.rate("a", "download", "dl0", 2000, 0.8 * MOST.dl0);
    await lab.rate("b", "download", "dl1", 2000, 0.8 * MOST.dl1);
    assert.ok((await lab.link("a")).link.last!.upload.rateBitsPerSecond > 600 * MOST.ul0);
    lab.reflect();
    await open(lab);
    lab.reflect({ up: 12 + BLOAT });
    await lab.rate("a", "upload", "ul0", 1000, 0.8 * MOST.ul0);
    lab.reflect();
    await open(lab);
    await lab.healthy();
  });

  await t.test("status is what the API says, in text and JSON", async () => {
    const json = (...args: readonly string[]): unknown => {
      const { status, stdout, stderr } = lab.cli(["autorate", "status", ...args, "--json"]);
      assert.deepEqual([status, stderr], [0, ""]);
      return JSON.parse(stdout);
    };
    const { links } = v.parse(exact(ROUTES["autorate.links"].response), json()) as { links: { name: string }[] };
    assert.deepEqual(
      links.map(({ name }) => name),
      ["a", "b"],
    );
    const { history } = v.parse(exact(ROUTES["autorate.link"].response), json("a", "--ticks", "7")) as {
      history: unknown[];
    };
    assert.equal(history.length, 7);
    const all = lab.cli(["autorate", "status"]).stdout;
    assert.match(all, /^a: running, controller sluice, 6 reflectors answer$/m);
    assert.match(all, /^download +[\d.]+ Mbit\/s .* 2 Mbit\/s \.\. 10 Mbit\/s \.\. 20 Mbit\/s .* tbf on dl0$/m);
    assert.match(all, /^upload +[\d.]+ Mbit\/s .* class 1:1 of ul0$/m);
    assert.match(all, /^b: running, controller ewma/m);
    const one = lab.cli(["autorate", "status", "a"]).stdout;
    for (const address of REFLECTORS) assert.match(one, new RegExp(`^${address} +timestamp `, "m"));
    assert.match(one, /^TIME +STATE +DOWNLOAD/m);
    const none = lab.cli(["autorate", "status", "x"]);
    assert.equal(none.status, 1);
    assert.match(none.stderr, /There is no link "x"/);
  });

  await t.test("watch tells ticks as they happen", async () => {
    const schema = exact(liveTick);
    for (const line of await lab.follow(["autorate", "watch", "--json"], 10)) v.parse(schema, JSON.parse(line));
    for (const line of await lab.follow(["autorate", "watch", "b"], 3))
      assert.match(line, /^\d{4}-\S+Z b running: download \S+ Mbit\/s of \S+ Mbit\/s, [\d.]+ ms, [^;]*$/);
  });

  await t.test("what is traced can be replayed: from the stream, and from the file", async () => {
    const lines = await lab.follow(["autorate", "trace", "a"], 40);
    const file = join(lab.folder, "stream.jsonl");
    writeFileSync(file, lines.join("\n"));
    for (const [path, least] of [
      [file, 38],
      [lab.path("a.jsonl"), 60],
    ] as const) {
      const { status, stdout } = lab.cli(["autorate", "replay", path, "--json", "--controller", "cake"]);
      assert.equal(status, 0);
      const { recordedBy, ticks, faults } = JSON.parse(stdout) as Record<string, unknown[]>;
      assert.equal(recordedBy, "sluice");
      assert.deepEqual(faults, []);
      assert.ok(ticks!.length >= least, `${ticks!.length}`);
    }
    const { status, stdout, stderr } = lab.cli(["autorate", "replay", lab.path("a.jsonl"), "--all"]);
    assert.equal(status, 0);
    assert.match(stdout, /^ +S +DOWNLOAD +sluice +DECISION/m);
    assert.match(stderr, /ticks by sluice; sluice differs by more than 1 % in \d+\./);
    const trace = readTrace(readFileSync(lab.path("a.jsonl"), "utf8"));
    if ("reason" in trace) assert.fail(trace.reason);
    assert.equal(trace.runs.length, 1);
    const bad = lab.cli(["autorate", "replay", lab.path("a.csv")]);
    assert.equal(bad.status, 65);
    assert.match(bad.stderr, /\[AUTORATE_TRACE\]/);
  });

  await t.test("statistics are written in the columns of sqm-autorate", async () => {
    await eventually(() => {
      const [head, ...rows] = readFileSync(lab.path("a.csv"), "utf8").trimEnd().split("\n");
      assert.equal(head, CSV_HEADER);
      assert.ok(rows.length > 20 && rows.every((row) => /^\d{10},\d{1,9}(,-?\d+\.\d{6}){4},\d+,\d+$/.test(row)));
      assert.equal(readFileSync(lab.path("b.csv"), "utf8").split("\n")[0], "time,counter,upspeed,downspeed");
    }, SOON);
  });

  await t.test("metrics have every link, and Prometheus' checker nothing against them", async (s) => {
    const text = await lab.client.call("metrics", {});
    const value = (series: string): number => {
      const line = text.split("\n").find((row) => row.startsWith(`${series} `)) ?? assert.fail(`${series} is missing`);
      return Number(line.split(" ").at(-1));
    };
    assert.equal(value('sluice_autorate_state{link="a",state="running"}'), 1);
    assert.equal(value('sluice_autorate_state{link="a",state="blind"}'), 0);
    const rate = value('sluice_autorate_rate_bytes_per_second{link="a",direction="upload"}');
    assert.ok(rate > 75 * MOST.ul0 && rate <= 125 * MOST.ul0, `${rate}`);
    assert.ok(value('sluice_autorate_achieved_bytes_per_second{link="b",direction="download"}') > 1e5);
    assert.ok(value('sluice_autorate_writes_total{link="a",direction="download"}') > 1);
    assert.equal(value('sluice_autorate_write_failures_total{link="a",direction="download"}'), 0);
    assert.equal(value('sluice_autorate_reflectors{link="b"}'), 6);
    assert.ok(value('sluice_autorate_ticks_total{link="a"}') > 50);
    assert.ok(value('sluice_autorate_delay_seconds{link="a",direction="download"}') < 0.15);
    assert.ok(!text.includes('link="b",direction="upload"'), "a direction that is not there has no rows");
    try {
      const promtool = findPromtool(join(import.meta.dirname, "../.."));
      const { status, stdout, stderr } = spawnSync(promtool, ["check", "metrics"], { input: text, encoding: "utf8" });
      assert.deepEqual([status, `${stdout}${stderr}`], [0, ""]);
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      s.diagnostic(`without promtool: ${error.message}`);
    }
  });

  await t.test("half of the reflectors lie, answer three times, or for somebody else: nothing moves", async () => {
    const [one, two, three] = REFLECTORS;
    lab.reflect({ stamps: "random" }, one);
    lab.reflect({ stamps: "backwards" }, two);
    lab.reflect({ stamps: "out-of-range" }, three);
    await unmoved(lab);
    lab.reflect({ copies: 3 });
    lab.reflect({ garble: "id" }, one);
    lab.reflect({ garble: "token" }, two);
    await unmoved(lab);
    lab.reflect();
  });

  await t.test("the wall clock is set by an hour, and passes midnight: nothing moves", async () => {
    const HOUR = 3_600_000;
    lab.setClock(HOUR);
    await unmoved(lab);
    lab.setClock(-HOUR);
    await unmoved(lab);
    // Two seconds before it, and the reflectors' clocks with ours.
    const now = Date.now();
    const offset = 24 * HOUR - (now % (24 * HOUR)) - 2000;
    lab.setClock(offset);
    lab.reflect({ offset: offset + 500 });
    await unmoved(lab);
    const { time } = (await lab.link("a")).history[0]!;
    assert.match(time, /T00:00:0/, "it was midnight meanwhile");
    lab.setClock(0);
    lab.reflect();
    await unmoved(lab);
  });

  await t.test("nobody answers: blind while traffic flows, and rates are held; stalled without it", async () => {
    lab.reflect({ silent: true });
    await lab.state("a", "blind");
    assert.match(await lab.condition("AUTORATE_BLIND"), /^The line of [ab] is not seen: /);
    await lab.load("ul0", 0);
    await lab.state("a", "stalled");
    const { link } = await lab.link("a");
    assert.ok(link.last!.download.rateBitsPerSecond > 500 * MOST.dl0);
    assert.match(link.last!.notes.join(), /neither answers nor traffic/);
    assert.equal(link.usable.count, 0);
    lab.reflect();
    await lab.state("a", "running");
    await lab.load("ul0", 1.5 * MOST.ul0);
    await lab.healthy();
    await open(lab);
    const { events } = await lab.client.call("events", { query: { kind: "autorate.state", limit: "100" } });
    const told = events.map(({ message }) => message);
    assert.ok(told.includes("a is blind, after it was running"), told.join("\n"));
  });

  await t.test("somebody else sets a rate: it is put back, and told", async () => {
    lab.tc("qdisc change dev dl0 root handle 1: tbf rate 3mbit burst 20kb limit 60kb");
    await lab.rate("a", "download", "dl0", 0.9 * MOST.dl0, MOST.dl0);
    await eventually(async () => {
      const { events } = await lab.client.call("events", { query: { kind: "autorate.contested" } });
      assert.match(
        events.at(-1)?.message ?? "",
        /^Somebody set download of a to 3 Mbit\/s: [\d.]+ Mbit\/s is put back$/,
      );
    });
  });

  await t.test("the kernel cannot take the rate: told once, and again when it can", async () => {
    lab.tc("qdisc change dev dl0 root handle 1: tbf rate 3mbit burst 20kb limit 60kb peakrate 5mbit mtu 2000");
    const told = await lab.condition("AUTORATE_REFUSED");
    assert.match(
      told,
      /^The download of a does not follow its line: Cannot set tbf on dl0 to .*peakrate of 5mbit has to be higher/,
    );
    assert.doesNotMatch(told, /\n/);
    const { link } = await lab.link("a");
    assert.ok(link.download!.writes.failed > 0);
    assert.equal(link.last!.state, "running");
    lab.tc("qdisc replace dev dl0 root handle 1: tbf rate 3mbit burst 20kb limit 60kb");
    await lab.healthy();
    await lab.rate("a", "download", "dl0", 0.9 * MOST.dl0, MOST.dl0);
  });

  await t.test("the interface goes and comes back; the other direction goes on", async () => {
    const before = await lab.link("a");
    await lab.load("dl0", 0);
    ip(lab.shaped.lab.router, ["link del dl0"]);
    // It loses its qdisc a moment before it is gone.
    await eventually(async () => {
      const { AUTORATE_TARGET_MISSING: told } = await lab.conditions();
      assert.match(told ?? "", /download of a: tbf on dl0: there is no interface "dl0"/);
    }, SOON);
    for (const { state } of await lab.ticks("a", 5)) assert.equal(state, "running");
    lab.device("dl0");
    await lab.load("dl0", 1.5 * MOST.dl0);
    await lab.healthy();
    await open(lab);
    assert.ok((await lab.link("a")).link.ticks > before.link.ticks, "nothing was started again");
  });

  await t.test("a reload changes one link, and leaves the other undisturbed", async () => {
    const before = await lab.link("a");
    const [rate] = [lab.rateOf("dl1")];
    assert.ok(rate > 9000, `${rate}`);
    await lab.configure(`${COMMON}${A}${B}download_delay_ms = 200\n`);
    // The changed one goes on from its rate, instead of 60 % of base.
    await lab.until("b", ({ last }) => assert.equal(last?.download.thresholdMs, 200));
    for (const { download } of (await lab.link("b", 100)).history)
      assert.ok(download.rateBitsPerSecond > 700 * rate, `${download.rateBitsPerSecond}`);
    await lab.configure(COMMON + c() + A);
    await lab.until("c", ({ last }) => assert.equal(last?.state, "running"));
    const { links } = await lab.client.call("autorate.links", {});
    assert.deepEqual(
      links.map(({ name }) => name),
      ["c", "a"],
      "in the order of the configuration",
    );
    assert.ok(lab.rateOf("dl1") > 0.6 * rate, "who is not to be restored is left as it is");
    assert.ok((await lab.link("a")).link.ticks > before.link.ticks + 5, "it would have begun to count anew");
    const { events } = await lab.client.call("events", { query: { limit: "500" } });
    assert.deepEqual(
      events.filter(({ kind }) => kind === "part.failed"),
      [],
    );
  });

  await t.test("a Lua controller: one that does not load, one that is mended, one that fails in a tick", async () => {
    const script = lab.path("c.lua");
    const use = (...lines: readonly string[]): void => writeFileSync(script, lines.join("\n"));
    use("local M = {}", "function M.calculate(data", "return M");
    await lab.configure(COMMON + A + c('controller = "c.lua"'));
    const told = await lab.condition("AUTORATE_FAILED");
    assert.match(told, /^The rate of c does not follow its line: \S+\/c\.lua:3: Cannot read the Lua script: /);
    assert.match(lab.cli(["autorate", "status", "c"]).stdout, /^c: not running: \S+c\.lua:3: /m);
    await lab.until("a", ({ last }) => assert.equal(last?.state, "running"));
    // It is the same configuration: what changed is the script.
    use("local M = {}", "function M.calculate(data) return { dl_rate = 5432, ul_rate = 1 } end", "return M");
    await lab.client.call("config.reload", {});
    await lab.healthy();
    await lab.rate("c", "download", "dl2", 5432, 5432);
    use("local M = {}", "function M.calculate(data) return data.nothing.there end", "return M");
    await lab.client.call("config.reload", {});
    await lab.until("c", ({ last }) => {
      assert.equal(last?.download.decision?.branch, "lua-error");
      assert.match(last.download.decision.blocked ?? "", /attempt to index field 'nothing'/);
    });
    await lab.rate("c", "download", "dl2", 1200, 1200);
  });

  await t.test("a plugin that throws is disabled, and the link goes on", async () => {
    const path = lab.path("throws.lua");
    writeFileSync(path, 'return { process = function() error("no") end }\n');
    await lab.configure(COMMON + A + c('plugins = ["throws.lua"]'));
    const told = await lab.condition("AUTORATE_PLUGIN");
    assert.match(told, /throws\.lua of c is disabled: it failed 5 times in a row: line 1: no$/);
    const { link } = await lab.link("c");
    assert.deepEqual(
      link.plugins.map(({ state, path: file }) => [state, file]),
      [["disabled", path]],
    );
    assert.equal(link.last?.state, "running");
    await lab.configure(COMMON + A + c());
    await lab.healthy();
  });

  await t.test("killed, it takes control again when it is back", async () => {
    await open(lab);
    lab.kill("SIGKILL");
    await lab.ended();
    assert.ok(lab.rateOf("dl0") > 0.6 * MOST.dl0, "what was set stays");
    await lab.start();
    await open(lab);
    await eventually(() => {
      const trace = readTrace(readFileSync(lab.path("a.jsonl"), "utf8"));
      if ("reason" in trace) assert.fail(trace.reason);
      assert.equal(trace.runs.length, 2, "the trace goes on in a run of its own");
    }, SOON);
  });

  await t.test("stopped, it sets base where that is asked for", async () => {
    await lab.configure(COMMON + A + B);
    await lab.rate("b", "download", "dl1", 0.7 * MOST.dl1, MOST.dl1);
    assert.equal(await lab.stop(), 0);
    assert.deepEqual([lab.rateOf("dl0"), lab.rateOf("ul0")], [10_000, 4000]);
    assert.ok(lab.rateOf("dl1") > 12_000, "and leaves it elsewhere");
  });
});
