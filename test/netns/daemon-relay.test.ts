/** The relay in a live daemon: rules by file, command line and API, through reload, restart, and its end. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ip, LAB } from "../../demo/lab.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { PATIENCE, RelayDaemonLab } from "../helpers/relay-daemon-lab.ts";
import { relayFrame } from "../helpers/relay-frame.ts";

checkFds();

const FILE = `
[relay]
ring_mib = 4

[[relay.rules]]
name = "video"
interface = "${LAB.wan}"
group = "239.1.1.1"
port = 5000
outputs = [{ interface = "${LAB.lan}", group = "239.2.2.2", port = 6000, ttl = 4 }]
`;

test("the relay in a daemon", async (t) => {
  await using lab = new RelayDaemonLab(FILE);
  await lab.start();
  const ok = (...args: string[]): string => {
    const { status, stdout, stderr } = lab.cli(args);
    assert.equal(status, 0, `${args.join(" ")}: ${stderr}`);
    return stdout;
  };

  await t.test("36: rules of the file are carried, and what they carry is counted to the packet", async () => {
    await lab.carried("video", "kernel");
    lab.send(20);
    await lab.hears("239.2.2.2", 20);
    const { counters, outputs } = await lab.rule("video");
    assert.deepEqual([counters.packets, outputs[0]!.counters.packets], [20, 20]);
    assert.match(ok("relay", "rule", "list"), /video +239\.1\.1\.1:5000@wan0 +239\.2\.2\.2:6000@lan0 +active, kernel/);
    assert.match(ok("relay", "stats"), /to 239\.2\.2\.2:6000@lan0 +20 /);
    const { workers } = await lab.client.call("relay.workers", {});
    assert.deepEqual(
      workers.map(({ interface: device, rules }) => [device, rules]),
      [[LAB.wan, 1]],
    );
    assert.match(ok("relay", "worker", "list"), /wan0 +0 +\d+ +running/);
    const metrics = await lab.client.call("metrics", {});
    assert.match(metrics, /^sluice_relay_received_packets_total\{rule="video"\} 20$/m);
    assert.match(
      metrics,
      /^sluice_relay_sent_packets_total\{rule="video",interface="lan0",group="239.2.2.2",port="6000"\} 20$/m,
    );
  });

  await t.test("rules that are added are carried at once, and kept", async () => {
    const flags = ["--name", "audio", "--engine", "user", "--class", "high"];
    const added = ok("relay", "rule", "add", "239.1.1.2:any@wan0", "239.3.3.3:7000@lan0,ttl=9", ...flags);
    assert.match(added, /^audio: active, user\n {2}takes 239\.1\.1\.2:any@wan0/);
    await lab.carried("audio", "user");
    lab.send(7, "239.1.1.2", 1234);
    await lab.hears("239.3.3.3", 7);
    lab.send(3);
    await lab.hears("239.2.2.2", 3);
  });

  await t.test("21, 22, 23: what cannot be is refused with all that is wrong, and changes nothing", async () => {
    const refused = (args: readonly string[], status: number, says: RegExp): void => {
      const result = lab.cli(["relay", "rule", ...args]);
      assert.deepEqual([result.status, says.test(result.stderr)], [status, true], result.stderr);
    };
    refused(
      ["add", "239.1.1.3:1@wan0", "wan0", "--vlan", "4000", "--source", "239.1.1.1"],
      78,
      /is a group|a group; wanted.*/s,
    );
    refused(["add", "239.1.1.3:1@wan0", "wan0"], 78, /number 1 sends to 239\.1\.1\.3 on wan0, where it comes from/);
    refused(["add", "239.1.1.1:5000@wan0", "lan0"], 1, /Rule "\w+" is of the configuration/);
    refused(["add", "239.1.1.1:5000@wan0", "lan0", "--id", "x"], 78, /are the same: 239\.1\.1\.1 port 5000 on wan0/);
    refused(["add", "239.1.1.9@wan0", "lan0"], 64, /wanted GROUP:PORT@INTERFACE/);
    refused(["remove", "video"], 1, /Rule "video" is of the configuration/);
    refused(["remove", "nobody"], 1, /There is no rule "nobody"/);
    assert.equal((await lab.client.call("relay.rules", {})).rules.length, 2);
  });

  await t.test("packets of a rule are told one by one, by the worker, and then the kernel has it again", async () => {
    const tracing = lab.client.call("relay.trace", { params: { id: "video" }, query: { packets: "3", seconds: "15" } });
    let answered = false;
    void tracing.then(() => (answered = true));
    let sent = 0;
    await eventually(() => {
      if (!answered) {
        lab.send(1);
        sent += 1;
      }
      assert.equal(answered, true);
    }, PATIENCE);
    const { packets } = await tracing;
    assert.equal(packets.length, 3);
    for (const { destination, bytes, outcome } of packets)
      assert.deepEqual([destination, bytes, outcome], ["239.1.1.1:5000", 7, "sent"]);
    await lab.hears("239.2.2.2", sent);
    assert.equal((await lab.rule("video")).carriedBy, "kernel");
  });

  await t.test("32: a rule waits for its interface, says so, and starts by itself", async () => {
    ok("relay", "rule", "add", "239.1.1.4:5000@late0", "239.4.4.4:5000@lan0", "--name", "late");
    assert.match(ok("relay", "rule", "get", "late"), /^late: pending: interface late0 is not there/);
    assert.match(ok("health"), /late is pending \(interface late0 is not there\)/);
    ip(lab.shaped.lab.router, ["link add late0 type veth peer name far0", "link set late0 up", "link set far0 up"]);
    await lab.carried("late", "kernel");
    using far = PacketSocket.open("far0", lab.shaped.lab.router);
    far.send(relayFrame({ to: "239.1.1.4" }));
    await lab.hears("239.4.4.4", 1);
    ok("relay", "rule", "remove", "late");
    ip(lab.shaped.lab.router, ["link del late0"]);
  });

  await t.test("38: rules are saved, and loaded again as they were", () => {
    const saved = lab.path("rules.toml");
    ok("relay", "save", "-o", saved);
    assert.match(ok("relay", "check", saved), /^ok: 2 rules; 0 warnings/);
    assert.equal(lab.cli(["relay", "save", "-o", saved]).status, 64, "nothing is written over");
    assert.match(ok("relay", "load", saved, "--replace"), /^0 added, 0 replaced, 0 removed, 2 as they were/);
    lab.write(
      "rules.toml",
      (toml) => toml.slice(0, toml.indexOf("[[relay.rules]]")) + toml.slice(toml.lastIndexOf("[[relay.rules]]\n")),
    );
    assert.match(ok("relay", "load", saved, "--replace"), /^0 added, 0 replaced, 0 removed, 1 as they were/);
    lab.write("rules.toml", (toml) => toml.replace("ttl = 9", "ttl = 8"));
    assert.match(ok("relay", "load", saved), /^0 added, 1 replaced, 0 removed, 0 as they were/);

    // Many at once, all of them or none.
    const many = Array.from({ length: 300 }, (_, i) => `239.5.${i >> 8}.${i & 255}`);
    const toml = (groups: readonly string[]): string =>
      groups
        .map((group) => `[[relay.rules]]\ninterface = "late0"\ngroup = "${group}"\nport = 5000\n`)
        .map((rule) => `${rule}[[relay.rules.outputs]]\ninterface = "lan0"\n`)
        .join("");
    const listed = (): number =>
      (JSON.parse(ok("relay", "rule", "list", "--json")) as { rules: unknown[] }).rules.length;
    const before = listed();
    lab.write("many.toml", () => `[relay]\n${toml(many)}`);
    assert.match(ok("relay", "load", lab.path("many.toml")), /^300 added, 0 replaced, 0 removed, 0 as they were/);
    assert.equal(listed(), before + 300);
    // The last one takes what a rule of another id takes.
    const id = '[[relay.rules]]\nid = "other"\ninterface = "late0"\ngroup = "239.5.0.7"\nport = 5000\n';
    const output = '[[relay.rules.outputs]]\ninterface = "lan0"\n';
    lab.write("many.toml", () => `[relay]\n${toml(["239.6.0.1"])}${id}${output}`);
    const refused = lab.cli(["relay", "load", lab.path("many.toml")]);
    assert.notEqual(refused.status, 0);
    assert.match(refused.stderr, /rules\.1 and .* are the same: 239\.5\.0\.7 port 5000 on late0/);
    assert.equal(listed(), before + 300);
    assert.match(ok("relay", "load", saved, "--replace"), /^0 added, 0 replaced, 300 removed, 1 as they were/);
    assert.equal(listed(), before);

    lab.write("rules.toml", (text) => text.replace("ttl = 8", "ttl = 0"));
    const { status, stderr } = lab.cli(["relay", "check", saved]);
    assert.equal(status, 78);
    assert.match(stderr, /rules\.toml:\d+:\d+: error: .*outputs\.0\.ttl: it is 0/);
  });

  await t.test("a rule that was added, and is written into the file later, is in nobody's way", async () => {
    const input = "239.1.1.8:5000@wan0";
    ok("relay", "rule", "add", input, "239.8.8.8:5000@lan0");
    const output = `outputs = [{ interface = "${LAB.lan}", group = "239.8.8.8" }]`;
    const written = `[[relay.rules]]\ninterface = "${LAB.wan}"\ngroup = "239.1.1.8"\nport = 5000\n${output}\n`;
    lab.write("sluice.toml", (toml) => toml + written);
    ok("reload");
    const origins = async (): Promise<string[]> =>
      (await lab.client.call("relay.rules", {})).rules
        .filter(({ group }) => group === "239.1.1.8")
        .map(({ origin }) => origin);
    assert.deepEqual(await origins(), ["static"]);
    ok("relay", "rule", "add", "239.1.1.9:5000@wan0", "lan0", "--id", "another");
    ok("relay", "rule", "remove", "another");
    lab.write("sluice.toml", (toml) => toml.replace(written, ""));
    ok("reload");
    assert.deepEqual(await origins(), ["dynamic"]);
    const { rules } = await lab.client.call("relay.rules", {});
    ok("relay", "rule", "remove", rules.find(({ group }) => group === "239.1.1.8")!.id);
  });

  await t.test("why packets arrive, or do not", () => {
    assert.match(
      ok("relay", "why", "239.1.1.1"),
      /^\d+ packets came for rule video, and \d+ copies were sent by the kernel$/m,
    );
    assert.match(
      ok("relay", "why", "239.77.7.7"),
      /^No rule takes packets to 239\.77\.7\.7, or sends any\n {4}remedy: sluice relay rule add/,
    );
  });

  await t.test("after kill -9 the kernel goes on, and the next daemon has every rule", async () => {
    lab.kill("SIGKILL");
    await lab.ended();
    lab.send(5);
    await lab.hears("239.2.2.2", 5);
    await lab.start();
    await lab.carried("video", "kernel");
    await lab.carried("audio", "user");
    lab.send(4, "239.1.1.2");
    await lab.hears("239.3.3.3", 4);
    assert.equal((await lab.rule("audio")).counters.packets, 4);
  });

  await t.test("20: a reload changes what changed", async () => {
    lab.write("sluice.toml", (text) => text.replace("239.2.2.2", "239.5.5.5"));
    ok("reload");
    await eventually(async () => assert.equal((await lab.rule("video")).outputs[0]!.group, "239.5.5.5"));
    lab.send(6);
    await lab.hears("239.5.5.5", 6);
    lab.write("sluice.toml", (text) => text.replace("port = 5000", "port = 70000"));
    const { status, stderr } = lab.cli(["reload"]);
    assert.equal(status, 78);
    assert.match(stderr, /relay\.rules\.0\.port: it is 70000/);
    lab.send(2);
    await lab.hears("239.5.5.5", 2);
    lab.write("sluice.toml", (text) => text.replace("port = 70000", "port = 5000"));
  });

  await t.test("30: SIGTERM leaves what the kernel carries; without [relay] it is taken away", async () => {
    const pins = join(lab.shaped.root, "sys/fs/bpf/sluice/relay");
    assert.equal(await lab.stop(), 0);
    lab.send(3);
    await lab.hears("239.5.5.5", 3);
    assert.equal(existsSync(pins), true);
    lab.write("sluice.toml", (text) => text.slice(0, text.indexOf("[relay]")));
    await lab.start();
    await eventually(() => assert.equal(existsSync(pins), false));
    lab.send(3);
    await lab.hears("239.5.5.5", 0);
    const { status, stderr } = lab.cli(["relay", "rule", "add", "239.1.1.2:any@wan0", "lan0"]);
    assert.equal(status, 1);
    assert.match(stderr, /There is no \[relay\]/);
  });
});
