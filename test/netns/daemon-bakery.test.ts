/** The bakery of a live daemon, driven by the Python client. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathsBelow } from "../../src/linux/paths.ts";
import { configureBakery, runScript, skipPython } from "../helpers/bakery-daemon.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";
import { GOLDEN, goldenSettings, goldenText, skipGolden } from "../helpers/libreqos.ts";

const CALLS = join(GOLDEN, "bakery-calls");
const skip = skipPython || skipGolden;
const names = skipGolden === false && existsSync(CALLS) ? readdirSync(CALLS) : [];

test("there are recorded calls", { skip: skipGolden }, () => assert.ok(names.length > 0));

for (const name of names)
  test(`${name}: the daemon writes what LibreQoS's Python side wrote`, { skip }, async () => {
    await using lab = new DaemonLab();
    const network = goldenText(name, "network.json") ?? "{}";
    const devices = goldenText(name, "ShapedDevices.csv")!;
    configureBakery(lab, { settings: goldenSettings(name), network, devices }, "file");
    await lab.start();
    const args = [join(CALLS, name, "bakery_calls.jsonl.gz"), join(GOLDEN, name, "linux_tc.txt")];
    const { status, stdout, stderr } = runScript(lab, "test_bakery_integration.py", args);
    assert.equal(status, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /clear-prior-settings/, stdout);
    // And not by the script's word alone: the file ends with the lines of the bulk command, byte for byte.
    const written = readFileSync(pathsBelow(lab.shaped.root).bakery, "utf8");
    const wanted = goldenText(name, "linux_tc.txt")!;
    assert.ok(written.endsWith(wanted));
    assert.ok(written.startsWith(wanted));
    const settings = goldenSettings(name);
    // Generated nodes have the line's rates in a sluice.toml, and in some of the runs others.
    if (settings.generated.download !== settings.capacity.download) return;
    const query = { queues: String(settings.queuesAvailable) };
    assert.equal((await lab.client.call("shaper.export", { query })).tc, wanted);
  });

test("the diagnosis says what it finds, in both modes, and when there is no daemon", { skip: skipPython }, async () => {
  await using lab = new DaemonLab();
  const down = runScript(lab, "diagnose_bakery.py");
  assert.equal(down.status, 69, down.stdout);
  assert.match(`${down.stdout}${down.stderr}`, /systemctl start sluiced/);
  await lab.start();
  const file = runScript(lab, "diagnose_bakery.py");
  assert.equal(file.status, 0, file.stdout + file.stderr);
  assert.match(file.stdout, /qdisc del dev sluice-diag0 root/);
  await lab.client.call("bakery.mode", { body: { mode: "execute" } });
  const execute = runScript(lab, "diagnose_bakery.py");
  assert.equal(execute.status, 0, execute.stdout + execute.stderr);
  assert.match(execute.stdout, /failures are reported, as they should be/);
});

test("commands are written in the order in which they came; wait=false is answered before", async () => {
  await using lab = new DaemonLab();
  await lab.start();
  const line = (n: number): string => `class change dev lan0 parent 1: classid 1:${n.toString(16)} htb rate 1mbit`;
  const send = (n: number, wait: "true" | "false") =>
    lab.client.call("bakery.command", {
      query: { wait },
      body: { command: "ExecuteTCCommands", commands: [line(n)], force_mode: false },
    });
  // No more at once than may wait to be let in.
  for (const first of [1, 101])
    await Promise.all(Array.from({ length: 100 }, (_, i) => send(first + i, i % 2 === 0 ? "true" : "false")));
  const written = readFileSync(pathsBelow(lab.shaped.root).bakery, "utf8").trim().split("\n");
  assert.deepEqual(written.toSorted(), Array.from({ length: 200 }, (_, i) => line(i + 1)).toSorted());
  const { carriedOut, failed, waiting } = await lab.client.call("bakery.get", {});
  assert.deepEqual([carriedOut, failed, waiting], [200, 0, 0]);
});

test("in execute mode commands reach the kernel, failures are told, and the tree is the bakery's", async () => {
  await using lab = new DaemonLab();
  await lab.start();
  await lab.client.call("bakery.mode", { body: { mode: "execute" } });
  const run = (...commands: string[]) =>
    lab.client.call("bakery.command", { body: { command: "ExecuteTCCommands", commands, force_mode: true } });
  await run(
    "qdisc del dev lan0 root",
    "qdisc add dev lan0 root handle 1: htb",
    "class add dev lan0 parent 1: classid 1:7 htb rate 7mbit",
  );
  await assert.rejects(run("class add dev lan0 parent 9: classid 9:1 htb rate 1mbit"), (error: Error) => {
    assert.match(error.message, /BAKERY_LINES/);
    assert.match(error.message, /line 1 "class add dev lan0 parent 9: classid 9:1 htb rate 1mbit": tc: /);
    return true;
  });
  await assert.rejects(run("filter add dev lan0 protocol ip u32"), /"filter" is neither qdisc nor class/);
  // The daemon does not put its own tree in the place of it.
  await new Promise((resolve) => void setTimeout(resolve, 800));
  assert.match(lab.shaped.router("tc class show dev lan0"), /class htb 1:7 /);
  // A mode that was set by hand outlives a reload, and nobody is told that the daemon has applied what it has not.
  await lab.client.call("config.reload", {});
  assert.equal((await lab.client.call("bakery.get", {})).mode, "execute");
  await assert.rejects(lab.client.call("shaper.apply", { body: {} }), /BAKERY_DRIVING/);
  const { conditions } = await lab.client.call("health", {});
  assert.deepEqual(
    conditions.map(({ code }) => code),
    ["BAKERY_DRIVES"],
  );
  await run("qdisc del dev lan0 root");
  await lab.client.call("bakery.mode", { body: { mode: "file" } });
  await eventually(async () => assert.match(lab.shaped.router("tc qdisc show dev lan0"), /qdisc mq 7fff: root/));
  assert.equal((await lab.client.call("shaper.circuits", {})).inStep, true);
});

test("the client's own tests", { skip: skipPython }, () => {
  const folder = join(import.meta.dirname, "../../clients/python/tests");
  const { status, stderr } = spawnSync("python3", ["-m", "unittest", "discover", "-s", folder], {
    encoding: "utf8",
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
  });
  assert.equal(status, 0, stderr.slice(-3000));
  assert.match(stderr, /Ran [4-9]\d tests/);
});
