/** A daemon whose relay is changed, killed and stopped while packets go through it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import type { PacketStream } from "../helpers/packet-stream.ts";
import { PATIENCE, RelayDaemonLab } from "../helpers/relay-daemon-lab.ts";
import { WorkerLab } from "../helpers/relay-worker-lab.ts";

checkFds();

/** Packets a second to both groups together. */
const RATE = 2000;
const KERNEL = { name: "video", from: "239.1.1.1", to: "239.2.2.2" } as const;
const USER = { name: "audio", from: "239.1.1.2", to: "239.3.3.3" } as const;
const STREAMS = [KERNEL.from, USER.from];

const FILE = ["[relay]"]
  .concat(
    [
      { ...KERNEL, engine: "kernel" },
      { ...USER, engine: "user" },
    ].flatMap(({ name, from, to, engine }) => [
      "[[relay.rules]]",
      `name = "${name}"`,
      `interface = "${LAB.wan}"`,
      `group = "${from}"`,
      "port = 5000",
      `engine = "${engine}"`,
      `outputs = [{ interface = "${LAB.lan}", group = "${to}", ttl = 4 }]`,
    ]),
  )
  .join("\n");

const OTHER = {
  interface: LAB.wan,
  group: "239.1.1.3",
  port: 5000,
  outputs: [{ interface: LAB.lan, group: "239.4.4.4" }],
};

test("the relay of a daemon under traffic", async (t) => {
  await using lab = new RelayDaemonLab(FILE);
  const worker = async () => (await lab.client.call("relay.workers", {})).workers[0]!;
  /** Packets go on until the relay carries both streams. */
  const flowing = async (): Promise<PacketStream> => {
    await lab.carried(KERNEL.name, "kernel");
    await lab.carried(USER.name, "user");
    const stream = await lab.stream(STREAMS, RATE);
    const before = [lab.heard(KERNEL.to), lab.heard(USER.to)];
    await eventually(() => {
      assert.ok(lab.heard(KERNEL.to) > before[0]! + 100 && lab.heard(USER.to) > before[1]! + 100);
    }, PATIENCE);
    return stream;
  };
  /** Stops them. @returns how many were sent to each group */
  const sentOf = async (stream: PacketStream): Promise<readonly [kernel: number, user: number]> => {
    const sent = await stream.stop();
    return [Math.ceil(sent / 2), Math.floor(sent / 2)];
  };

  await t.test(
    "30: stopped by SIGTERM, the worker sends what it has, and says what it did; the kernel goes on",
    async () => {
      await lab.start();
      const stream = await flowing();
      const { pid } = await worker();
      assert.match(WorkerLab.status(pid!) ?? "", /^Uid:\t65534/m);
      assert.equal(await lab.stop(), 0);
      assert.equal(WorkerLab.status(pid!), undefined, "it is gone, and no zombie");
      assert.equal(existsSync(pathsBelow(lab.shaped.root).socket), false);
      const [kernel] = await sentOf(stream);
      await lab.hears(KERNEL.to, kernel);
      const [, packets, copies] = /final: 2 rules, (\d+) packets \(\d+ bytes\) taken, (\d+) copies sent/.exec(lab.log)!;
      assert.equal(packets, copies);
      await lab.hears(USER.to, Number(copies));
    },
  );

  await t.test("18, 19, 21: rules come, are replaced, and go, each at once, and others lose nothing", async () => {
    await lab.start();
    const stream = await flowing();
    const passedOver = async (): Promise<number> => {
      const { interfaces } = await lab.client.call("relay.stats", {});
      return interfaces.find((each) => each.interface === LAB.wan)!.passedOver["noRule"] ?? 0;
    };
    for (const engine of ["user", "kernel", "user"] as const) {
      const body = { ...OTHER, engine };
      assert.equal((await lab.client.call("relay.add", { body })).replaced, false);
      lab.send(10, OTHER.group);
      await lab.hears("239.4.4.4", 10);
      const outputs = [{ interface: LAB.lan, group: "239.4.4.5" }];
      const { rule, replaced } = await lab.client.call("relay.add", { body: { ...body, outputs } });
      assert.equal(replaced, true);
      lab.send(10, OTHER.group);
      await lab.hears("239.4.4.5", 10);
      await lab.client.call("relay.remove", { params: { id: rule.id } });
      const before = await passedOver();
      lab.send(10, OTHER.group);
      // The next rule for this group would take what still waits in the ring.
      await eventually(async () => assert.equal(await passedOver(), before + 10), PATIENCE);
    }
    const [kernel, user] = await sentOf(stream);
    await lab.hears(KERNEL.to, kernel);
    await lab.hears(USER.to, user);
    for (const group of ["239.4.4.4", "239.4.4.5"]) assert.equal(lab.heard(group), 0);
  });

  await t.test("18: a rule is said to be in place when the worker has it, and not before", async () => {
    const { pid } = await worker();
    process.kill(pid!, "SIGSTOP");
    let isAnswered = false;
    const adding = lab.client.call("relay.add", { body: { ...OTHER, engine: "user" } });
    void adding.then(() => (isAnswered = true));
    await eventually(async () => assert.equal((await lab.client.call("relay.rules", {})).rules.length, 3));
    for (let i = 0; i < 10; i += 1) await lab.client.call("status", {});
    assert.equal(isAnswered, false);
    process.kill(pid!, "SIGCONT");
    const { rule } = await adding;
    await lab.client.call("relay.remove", { params: { id: rule.id } });
    assert.equal((await worker()).restarts, 0);
  });

  await t.test("20: rules that a reload finds as they were lose nothing", async () => {
    const stream = await flowing();
    const third = `[[relay.rules]]\ninterface = "${LAB.wan}"\ngroup = "${OTHER.group}"\nport = 5000\nengine = "user"\n`;
    const output = (group: string) => `outputs = [{ interface = "${LAB.lan}", group = "${group}" }]\n`;
    lab.write("sluice.toml", (text) => text + third + output("239.4.4.0"));
    for (let i = 1; i <= 4; i += 1) {
      lab.write("sluice.toml", (text) => text.replace(/239\.4\.4\.\d/, `239.4.4.${i}`));
      await lab.client.call("config.reload", {});
      await eventually(async () => {
        const { rules } = await lab.client.call("relay.rules", {});
        assert.equal(rules.find(({ group }) => group === OTHER.group)?.outputs[0]?.group, `239.4.4.${i}`);
      }, PATIENCE);
    }
    const [kernel, user] = await sentOf(stream);
    await lab.hears(KERNEL.to, kernel);
    await lab.hears(USER.to, user);
  });

  await t.test(
    "29: while a worker is dead the API answers and the kernel goes on, and the next one has its rules",
    async () => {
      const stream = await flowing();
      let { pid } = await worker();
      for (let death = 1; death <= 3; death += 1) {
        process.kill(pid!, "SIGKILL");
        const states = new Set<string>();
        // Each of these is an answer.
        const next = await eventually(async () => {
          const now = await worker();
          states.add(now.state);
          assert.equal(now.state, "running");
          assert.notEqual(now.pid, pid);
          return now;
        }, PATIENCE);
        assert.ok(states.size > 1, "nobody was asked while it was dead");
        assert.equal(next.restarts, death);
        pid = next.pid;
        const before = lab.heard(USER.to);
        await eventually(() => assert.ok(lab.heard(USER.to) > before + 100, "it carries on"), PATIENCE);
        lab.send(10, OTHER.group);
        await lab.hears("239.4.4.4", 10);
      }
      const [kernel, user] = await sentOf(stream);
      await lab.hears(KERNEL.to, kernel);
      assert.ok(lab.heard(USER.to) <= user, "what a worker had when it was killed may be lost; nothing comes twice");
      const { events } = await lab.client.call("events", { query: { kind: "relay.worker", limit: "100" } });
      const told = events.map(({ severity, message }) => `${severity}: ${message}`);
      assert.ok(told.filter((text) => /^warning: .* ended: .*SIGKILL/.test(text)).length >= 3, told.join("\n"));
      assert.ok(told.filter((text) => /^info: .* runs, process \d+$/.test(text)).length >= 3, told.join("\n"));
    },
  );
});
