/** The command line where a daemon runs: every verb that can goes over the API, and its JSON is what the API answers. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { DaemonLab } from "../helpers/daemon.ts";

const OBJECT = join(import.meta.dirname, "../bpf/xdp-members.bpf.o");

let lab: DaemonLab;
before(async () => {
  lab = new DaemonLab();
  await lab.start();
});
after(async () => {
  for (const id of lab.cli(["program", "list", "--quiet"]).stdout.split("\n").filter(Boolean))
    lab.cli(["program", "unload", id, "--ignore-missing"]);
  await lab[Symbol.asyncDispose]();
});

/** How often a route has answered. */
async function answered(route: string): Promise<number> {
  const text = await lab.client.call("metrics", {});
  const counts = [
    ...text.matchAll(new RegExp(`^sluice_http_requests_total\\{route="${route}",status="\\d+"\\} (\\d+)$`, "gm")),
  ];
  return counts.reduce((sum, [, count]) => sum + Number(count), 0);
}

/** Runs a command, which must ask the daemon for that route. */
async function asks(route: string, args: readonly string[], status = 0): Promise<string> {
  const before = await answered(route);
  const result = lab.cli(args);
  assert.equal(result.status, status, `${args.join(" ")}: ${result.stderr}`);
  assert.ok((await answered(route)) > before, `${args.join(" ")} did not ask the daemon`);
  return result.stdout;
}

test("verbs of the shaper", async () => {
  await asks("shaper.check", ["check"]);
  await asks("shaper.plan", ["plan"]);
  await asks("shaper.apply", ["apply", "--rebalance"]);
  await asks("shaper.tree", ["shaper", "tree", "--circuits"]);
  await asks("shaper.circuits", ["shaper", "circuit", "list"]);
  await asks("shaper.circuit", ["shaper", "circuit", "get", "1001"]);
  await asks("shaper.circuit", ["shaper", "circuit", "get", "nobody"], 1);
  await asks("shaper.export", ["shaper", "export", "--dialect", "libreqos", "--queues", "4"], 65);
  await asks("shaper.cleanup", ["cleanup"]);
  assert.equal(lab.cli(["plan"]).status, 2);
  await asks("shaper.apply", ["apply"]);
});

test("verbs of the dispatcher, from loading to unloading", async () => {
  const netns = lab.shaped.lab.router.path;
  const loaded = JSON.parse(
    await asks("programs.load", ["program", "load", "file", OBJECT, "--programs", "xdp:alpha", "-m", "a=b", "--json"]),
  ) as { programs: { id: number }[] };
  const id = String(loaded.programs[0]!.id);
  await asks("programs.load", ["program", "load", "file", OBJECT, "--programs", "xdp:nobody"], 65);
  assert.match(await asks("programs.list", ["program", "list", "-m", "a=b"]), /alpha/);
  assert.match(await asks("programs.get", ["program", "get", id]), /Function: +alpha/);
  const where = ["link", "attach", "xdp", id, "wan0", "--priority", "7", "--netns", netns];
  assert.match(await asks("links.attach", [...where, "--plan"]), /to add/);
  const attached = JSON.parse(await asks("links.attach", [...where, "--json"])) as { link: { id: number } };
  const link = String(attached.link.id);
  assert.match(await asks("links.list", ["link", "list"]), /wan0 pos-0/);
  assert.match(await asks("links.get", ["link", "get", link]), /Attached: +true/);
  assert.match(await asks("dispatchers.list", ["dispatcher", "list"]), /xdp/);
  assert.match(
    await asks("dispatchers.get", ["dispatcher", "get", "xdp", "wan0", "--netns", netns]),
    /Members \(1\/10\)/,
  );
  await asks("doctor.check", ["doctor", "check"]);
  await asks("doctor.rules", ["doctor", "explain"]);
  await asks("links.detach", ["link", "detach", link]);
  await asks("programs.unload", ["program", "unload", id]);
  await asks("gc", ["gc"]);
  const { events } = await lab.client.call("events", { query: { kind: "dispatcher.changed" } });
  assert.match(events[0]!.message, /^programs\.load for uid 0 \(pid \d+\)$/);
});

test("verbs of the daemon", async () => {
  await asks("status", ["status"]);
  await asks("health", ["health"]);
  await asks("config.reload", ["reload"]);
  await asks("config.get", ["config", "get"]);
  await asks("config.history", ["config", "list"]);
  await asks("config.version", ["config", "get", "1"]);
  await asks("config.rollback", ["rollback", "1"]);
  await asks("config.reload", ["reload"]);
  await asks("plans", ["change", "list"]);
  await asks("plans.get", ["change", "get", "1"]);
  await asks("events", ["event", "list"]);
  await asks("log.get", ["log", "get"]);
  await asks("log.set", ["log", "set", "shaper=info"]);
  await asks("bakery.get", ["bakery", "get"]);
  await asks("bakery.mode", ["bakery", "mode", "file"]);
  await asks("bakery.command", ["bakery", "send", '{"command":"ClearPriorSettings"}']);
  await asks("metrics", ["metrics"]);
});

test("the JSON is word for word the same, whoever did it", () => {
  for (const args of [
    ["check"],
    ["plan"],
    ["shaper", "tree", "--circuits"],
    ["shaper", "circuit", "list"],
    ["shaper", "circuit", "get", "1003"],
    ["program", "list"],
    ["link", "list"],
    ["dispatcher", "list"],
    ["doctor", "check"],
    ["doctor", "explain"],
  ]) {
    // Without a name of its own the namespace of this process has other interfaces; shaper's commands are told of the lab's.
    const place = ["plan", "shaper"].includes(args[0]!) ? ["--netns", lab.shaped.lab.router.path] : ["--direct"];
    const [by, own] = [lab.cli([...args, "--json"]), lab.cli([...args, ...place, "--json"])];
    assert.equal(by.status, own.status, args.join(" "));
    assert.deepEqual(JSON.parse(by.stdout), JSON.parse(own.stdout), args.join(" "));
  }
});
