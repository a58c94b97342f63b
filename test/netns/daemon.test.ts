/** The daemon on the real kernel: start, reload, rollback, what others do to its tree, and how it ends. */
import assert from "node:assert/strict";
import { readFileSync, rmSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { inspect } from "node:util";
import type { EventJson } from "../../src/api/schemas/system.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";

let lab: DaemonLab;
beforeEach(() => {
  lab = new DaemonLab();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Longer than the daemon waits between two repairs, and a busy machine for one, ms. */
const REPAIRED = 20_000;

const status = () => lab.client.call("status", {});
const events = async (kind?: string): Promise<EventJson[]> => {
  const query = { limit: "1000", ...(kind !== undefined && { kind }) };
  return (await lab.client.call("events", { query })).events;
};
const codes = async (): Promise<string[]> => (await lab.client.call("health", {})).conditions.map(({ code }) => code);
/** Whether the kernel holds what the daemon's configuration says. */
const inStep = async (): Promise<boolean> => (await lab.client.call("shaper.circuits", {})).inStep;
const ceil = (circuit: string): Promise<number> =>
  lab.client
    .call("shaper.circuit", { params: { id: circuit } })
    .then((found) => found.circuit.download.planBitsPerSecond);
const tree = (): string => lab.shaped.router("tc class show dev lan0; tc class show dev wan0");
/** Gives the first circuit of the device list another plan. */
function change(plan: string): void {
  lab.write("ShapedDevices.csv", (text) => text.replaceAll(/^(1001,(?:[^,\n]*,){9})\d+,/gm, `$1${plan},`));
}

test("it applies, answers, and leaves the kernel as it is when it is stopped", async () => {
  await lab.start();
  assert.match(tree(), /htb/);
  const { state, configuration, parts, text } = await status();
  assert.equal(state, "ready");
  assert.equal(configuration?.id, 1);
  assert.deepEqual(parts, [{ name: "watcher", state: "running", restarts: 0 }]);
  assert.equal(text, "shaping by configuration 1");
  assert.ok(await inStep());
  const before = tree();
  assert.equal(await lab.stop(), 0);
  assert.equal(tree(), before);
  // Started again it finds everything in its place.
  await lab.start();
  assert.equal((await status()).configuration?.id, 1);
  assert.equal((await events("plan.applied")).length, 1);
});

test("with --cleanup it takes away what it made", async () => {
  await lab.start({ args: ["--cleanup"] });
  assert.match(tree(), /htb/);
  assert.equal(await lab.stop(), 0);
  assert.equal(tree(), "");
});

test("a second one is refused, and the first does not notice", async () => {
  await lab.start();
  const other = lab.cli(["status"]);
  assert.equal(other.status, 0);
  const { pid } = lab;
  await using second = new DaemonLab("", { root: lab.shaped.root });
  await second.start({ wait: false });
  assert.equal(await second.ended(), 1);
  assert.match(second.log, /DAEMON_RUNNING/);
  assert.equal((await status()).pid, pid);
});

test("files are taken anew by reload and SIGHUP; one with errors changes nothing and is told of", async () => {
  await lab.start();
  const first = await ceil("1001");
  change("77");
  const reload = lab.cli(["reload"]);
  assert.equal(reload.status, 0, reload.stderr);
  assert.match(reload.stdout, /^Configuration 2 holds: \d+ to add, \d+ to change, \d+ to remove in \d+ ms\.$/m);
  assert.equal(await ceil("1001"), 77e6);
  assert.notEqual(first, 77e6);
  const before = tree();

  lab.write("network.json", (text) => `${text},`);
  lab.write("ShapedDevices.csv", (text) => `${text}9999,Nobody,,,Nowhere,,,,,1,1,x,1,\n`);
  const bad = lab.cli(["reload"]);
  assert.equal(bad.status, 65);
  assert.match(bad.stderr, /NETWORK_SYNTAX[\s\S]*DEVICES_/, "problems of both files are shown");
  assert.equal(tree(), before);
  assert.deepEqual(await codes(), ["CONFIG_REFUSED"]);
  assert.match((await status()).text, /^shaping by configuration 2; error: The configuration was not taken/);
  const { problems, configuration } = await lab.client.call("config.get", {});
  assert.equal(configuration?.id, 2);
  assert.ok(problems.length >= 2);
  const refused = (await events("config.refused")).length;

  lab.kill("SIGHUP");
  await eventually(async () => assert.equal((await events("config.refused")).length, refused + 1));
  assert.equal(tree(), before);

  lab.write("network.json", (text) => text.replace(/,$/, ""));
  lab.write("ShapedDevices.csv", (text) => text.replace(/^9999.*\n/m, ""));
  change("78");
  lab.kill("SIGHUP");
  await eventually(async () => assert.equal((await status()).configuration?.id, 3));
  assert.equal(await ceil("1001"), 78e6);
  assert.deepEqual(await codes(), []);
});

test("with bad files at the start it goes on with what was last good; with nothing good it ends with 78", async () => {
  lab.write("sluice.toml", (text) => text.replace("[shaper]", "[shaper]\nqeues = 3"));
  await lab.start({ wait: false });
  assert.equal(await lab.ended(), 78);
  assert.match(lab.log, /did you mean "queues"\? \[CONFIG_KEY_UNKNOWN\]/);

  lab.write("sluice.toml", (text) => text.replace("\nqeues = 3", ""));
  await lab.start();
  await lab.stop();
  rmSync(lab.path("network.json"));
  lab.shaped.router("tc qdisc del dev lan0 root; tc qdisc del dev wan0 root");
  await lab.start();
  assert.ok(await inStep());
  assert.match(tree(), /htb/);
  assert.deepEqual(await codes(), ["CONFIG_REFUSED"]);
});

test("it goes back to an earlier configuration, and stays there through a restart until files are taken again", async () => {
  await lab.start();
  const first = await ceil("1001");
  change("81");
  lab.cli(["reload"]);
  assert.equal(await ceil("1001"), 81e6);
  const back = lab.cli(["rollback", "1"]);
  assert.equal(back.status, 0, back.stderr);
  assert.match(back.stdout, /^Configuration 1 holds \(pinned\)/);
  assert.equal(await ceil("1001"), first);
  assert.deepEqual(await codes(), ["CONFIG_PINNED"]);
  const list = lab.cli(["config", "list"]).stdout.split("\n");
  assert.match(list[1]!, /^\s+2 /);
  assert.match(list[2]!, /^\* 1 /);
  assert.match(lab.cli(["config", "get", "2"]).stdout, /# devices: .*\n[\s\S]*,81,/);

  await lab.stop();
  await lab.start();
  assert.equal(await ceil("1001"), first);
  assert.equal((await status()).configuration?.pinned, true);
  assert.deepEqual(await codes(), ["CONFIG_PINNED"]);
  assert.equal(lab.cli(["rollback", "99"]).status, 1);

  assert.equal(lab.cli(["reload"]).status, 0);
  assert.equal(await ceil("1001"), 81e6);
  assert.deepEqual(await codes(), []);
});

test("what somebody else changes is put back and told of", async () => {
  await lab.start();
  const before = lab.shaped.lines("tc class show dev lan0");
  lab.shaped.router("tc qdisc del dev lan0 root");
  await eventually(async () => assert.equal((await events("drift.healed")).length, 1));
  assert.deepEqual(lab.shaped.lines("tc class show dev lan0"), before);
  const [found] = await events("drift.found");
  assert.match(found!.message, /qdiscs or filters of lan0 changed\): \d+ to add, 0 to change, 0 to remove/);
  assert.ok((found!.details["actions"] as string[]).length > 5);

  const classid = /class htb (\S+) parent/.exec(lab.shaped.router("tc class show dev wan0"))![1]!;
  lab.shaped.router(`tc class change dev wan0 classid ${classid} htb rate 1mbit ceil 2mbit`);
  await eventually(async () => assert.equal((await events("drift.healed")).length, 2));
  assert.ok(await inStep());
});

test("with drift = report it is only told of, until somebody applies", async () => {
  lab.write("sluice.toml", (text) => `${text}\n[daemon]\ndrift = "report"\n`);
  await lab.start();
  lab.shaped.router("tc qdisc del dev lan0 root");
  await eventually(async () => assert.deepEqual(await codes(), ["DRIFT"]));
  assert.equal(await inStep(), false);
  assert.match(lab.cli(["apply"]).stdout, /^Applied in/m);
  assert.ok(await inStep());
  assert.deepEqual(await codes(), []);
});

test("an interface that vanishes and comes back is shaped again; a foreign root is left alone and told of", async () => {
  await lab.start();
  lab.shaped.router("ip link set lan0 down; ip link set lan0 name gone0");
  await eventually(async () => assert.deepEqual(await codes(), ["LINK_MISSING"]), REPAIRED);
  assert.equal((await events("link.renamed")).length, 1);
  lab.shaped.router("tc qdisc del dev gone0 root; tc qdisc add dev gone0 root tbf rate 1gbit burst 10kb limit 10kb");
  lab.shaped.router("ip link set gone0 name lan0; ip link set lan0 up");
  await eventually(async () => assert.deepEqual(await codes(), ["APPLY_FAILED"]), REPAIRED);
  assert.match(lab.shaped.router("tc qdisc show dev lan0 root"), /tbf/);
  lab.shaped.router("tc qdisc del dev lan0 root");
  await eventually(async () => assert.deepEqual(await codes(), []), REPAIRED);
  assert.ok(await inStep());
});

test("a reload of what holds already, while an interface is away, is no refusal; it heals by itself", async () => {
  await lab.start();
  lab.shaped.router("ip link set lan0 down; ip link set lan0 name gone0");
  assert.equal(lab.cli(["reload"]).status, 69);
  assert.deepEqual(await codes(), ["LINK_MISSING"]);
  lab.shaped.router("ip link set gone0 name lan0; ip link set lan0 up");
  await eventually(async () => assert.deepEqual(await codes(), []));
  assert.ok(await inStep());
});

test("healing what others did does not say that refused files were taken", async () => {
  await lab.start();
  lab.write("network.json", (text) => `${text},`);
  assert.equal(lab.cli(["reload"]).status, 65);
  lab.shaped.router("tc qdisc del dev lan0 root");
  await eventually(async () => assert.equal((await events("drift.healed")).length, 1));
  assert.deepEqual(await codes(), ["CONFIG_REFUSED"]);
  assert.match(await lab.client.call("metrics", {}), /^sluice_config_last_reload_successful 0$/m);
});

test("with drift = report an interface that comes late is shaped all the same", async () => {
  lab.write("sluice.toml", (text) => `${text}\n[daemon]\ndrift = "report"\n`);
  lab.shaped.router("ip link set lan0 down; ip link set lan0 name later0");
  await lab.start();
  assert.deepEqual(await codes(), ["LINK_MISSING"]);
  lab.shaped.router("ip link set later0 name lan0; ip link set lan0 up");
  await eventually(async () => assert.deepEqual(await codes(), []));
  assert.ok(await inStep());
});

test("without [shaper] any more, what was shaped is taken away, by a reload and at the start", async () => {
  await lab.start();
  const files = readFileSync(lab.path("sluice.toml"), "utf8");
  lab.write("sluice.toml", () => "# nothing\n");
  assert.equal(lab.cli(["reload"]).status, 0);
  assert.equal(tree(), "");
  lab.write("sluice.toml", () => files);
  assert.equal(lab.cli(["reload"]).status, 0);
  assert.match(tree(), /htb/);
  await lab.stop();
  lab.write("sluice.toml", () => "# nothing\n");
  await lab.start();
  assert.equal(tree(), "");
  assert.equal((await status()).text, "nothing is to be shaped");
});

test("stopped during its first apply it finishes that, and ends in order", async () => {
  await lab.start({ wait: false });
  await new Promise((resolve) => void setTimeout(resolve, 250));
  lab.kill("SIGTERM");
  const code = await lab.ended();
  // Before the daemon has taken over its signals the kernel ends it, and nothing has begun.
  if (code === "SIGTERM") return assert.equal(tree(), "");
  assert.equal(code, 0);
  await lab.start();
  return assert.ok(await inStep());
});

test("cleanup takes everything away and nothing puts it back until somebody applies", async () => {
  await lab.start();
  assert.equal(lab.cli(["cleanup"]).status, 0);
  assert.equal(tree(), "");
  assert.deepEqual(await codes(), ["SHAPING_OFF"]);
  lab.shaped.router("tc qdisc add dev lan0 root tbf rate 1gbit burst 10kb limit 10kb; tc qdisc del dev lan0 root");
  await new Promise((resolve) => void setTimeout(resolve, 800));
  assert.equal(tree(), "");
  assert.equal(lab.cli(["apply"]).status, 0);
  assert.match(tree(), /htb/);
  assert.deepEqual(await codes(), []);
});

test("killed in the middle of an apply it heals at the next start", async () => {
  await lab.start();
  const wanted = lab.shaped.lines("tc class show dev lan0");
  lab.shaped.router("tc qdisc del dev lan0 root; tc qdisc del dev wan0 root");
  await new Promise((resolve) => void setTimeout(resolve, 330));
  lab.kill("SIGKILL");
  assert.equal(await lab.ended(), "SIGKILL");
  await lab.start();
  assert.ok(await inStep());
  assert.deepEqual(lab.shaped.lines("tc class show dev lan0"), wanted);
});

test("commands for a daemon say how to start one when there is none; others do without", async () => {
  const down = lab.cli(["status"]);
  assert.equal(down.status, 69);
  assert.match(down.stderr, /DAEMON_DOWN[\s\S]*systemctl start sluiced/);
  const json = JSON.parse(lab.cli(["reload", "--json"]).stdout) as { schema: string };
  assert.equal(json.schema, "sluice/error/1");
  assert.match(lab.cli(["check"]).stdout, /^ok: /);
  await lab.start();
  await lab.stop();
  // What it leaves behind when it is killed is no socket that answers.
  assert.equal(lab.cli(["status"]).status, 69);
});

test("37: logs change their levels while it runs; events and changes are kept through a restart", async () => {
  await lab.start();
  assert.match(lab.cli(["log", "get"]).stdout, /\(all\): info/);
  assert.match(lab.cli(["log", "set", "api=debug", "warning"]).stdout, /\(all\): warning\napi: debug/);
  lab.log = "";
  lab.cli(["program", "get", "4000000000"]);
  await eventually(() => assert.match(lab.log, /debug api: GET \/v1\/programs\/4000000000: 404/));
  const refused = lab.cli(["log", "set", "api=loud"]);
  assert.equal(refused.status, 64);
  assert.match(
    refused.stderr,
    /level "api=loud": wanted CATEGORY=LEVEL, or LEVEL for all, of trace, debug, info, warning,/,
  );
  assert.match(lab.cli(["log", "get"]).stdout, /\(all\): warning\napi: debug/);
  await lab.stop();
  await lab.start();
  assert.match(lab.cli(["log", "get"]).stdout, /\(all\): info/);
  const listed = lab.cli(["event", "list", "--kind", "daemon.started"]).stdout.trim().split("\n");
  assert.equal(listed.length, 2, inspect(listed));
  assert.match(lab.cli(["change", "list"]).stdout, /applied .* 105 to add/);
  assert.match(lab.cli(["change", "get", "1"]).stdout, /applied for start\n\+ qdisc add dev lan0 root handle 7fff: mq/);
});
