/** A worker's process on the real kernel. This file is a supervisor that is killed, too. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { getPriority } from "node:os";
import { test } from "node:test";
import { configureLogs } from "../../src/core/log.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";
import { WorkerLab } from "../helpers/relay-worker-lab.ts";

const SUPERVISOR = "supervisor";

function tests(): void {
  checkFds();

  test("31, 36: packets go through a process without privileges, counted exactly in memory that is shared", async () => {
    await using lab = await WorkerLab.start({}, 2);
    const pid = await lab.runs();
    const status = WorkerLab.status(pid) ?? "";
    for (const line of [
      /^Uid:(\t65534){4}$/m,
      /^Gid:(\t65534){4}$/m,
      /^Cap(Eff|Prm|Inh|Amb):\t0+$/m,
      /^NoNewPrivs:\t1$/m,
    ])
      assert.match(status, line);
    assert.equal(getPriority(pid), -10);

    const sinks = ["s1", "s2"].map((device) => lab.net.receiver(device, "239.2.0.1", 6000));
    await lab.set(lab.rule(1, ["o1", "o2"]));
    // No more ahead than the kernel queues between two ends of a link.
    for (let sent = 200; sent <= 1000; sent += 200) {
      lab.send(1, 200);
      await eventually(() => assert.equal(lab.count(12, "packets"), sent));
    }
    lab.send(2, 10);
    await eventually(() => {
      assert.deepEqual(
        sinks.map((sink) => sink.receive().length),
        [1000, 1000],
      );
      assert.equal(lab.count(10, "packets"), 1000);
    });
    assert.equal(lab.count(10, "bytes"), 100_000);
    for (const slot of [11, 12])
      assert.deepEqual([lab.count(slot, "packets"), lab.count(slot, "bytes")], [1000, 100_000]);
    // Once a second.
    await eventually(() => assert.equal(lab.ring("packets"), 1010));
    assert.equal(lab.ring("drops"), 0);
    const ring = { packets: 1010, drops: 0, freezes: 0 };
    const report = { rules: 1, packets: 1000, bytes: 100_000, copies: 2000, sendErrors: 0, ring };
    assert.deepEqual(await lab.worker.stop(), report);
    assert.equal(WorkerLab.status(pid), undefined);
  });

  test("29: a worker that is killed is started again with its rules, and goes on counting", async () => {
    await using lab = await WorkerLab.start();
    const sink = lab.net.receiver("s1", "239.2.0.1", 6000);
    await lab.set(lab.rule(1), lab.rule(2));
    lab.send(1, 100);
    await eventually(() => assert.equal(lab.count(11, "packets"), 100));
    let pid = await lab.runs();
    for (const round of [1, 2, 3]) {
      process.kill(pid, "SIGKILL");
      await eventually(() => assert.equal(lab.worker.status.restarts, round));
      assert.equal(WorkerLab.status(pid), undefined);
      pid = await lab.runs(pid);
      assert.equal(lab.worker.status.reason, "it was ended by SIGKILL");
      assert.equal(await lab.worker.sync(), true);
      lab.send(1, 100);
      await eventually(() => assert.equal(lab.count(11, "packets"), 100 + 100 * round));
    }
    assert.equal(sink.receive().length, 400);
  });

  test("29, 36: what a worker had not come to when it was killed is counted", async () => {
    await using lab = await WorkerLab.start();
    await lab.set(lab.rule(1));
    lab.send(1, 100);
    await eventually(() => assert.equal(lab.count(11, "packets"), 100));
    let sent = 100;
    for (let round = 0; round < 2; round += 1) {
      const pid = await lab.runs();
      const before = lab.passed("unread");
      process.kill(pid, "SIGSTOP");
      lab.send(1, 300);
      sent += 300;
      process.kill(pid, "SIGKILL");
      await lab.runs(pid);
      assert.ok(lab.passed("unread") > before);
      lab.send(1, 50);
      sent += 50;
      await eventually(() => {
        assert.equal(lab.count(11, "packets") + lab.passed("unread"), sent);
        assert.deepEqual([lab.ring("packets"), lab.ring("drops")], [sent, 0]);
      });
    }
    const { ring } = (await lab.worker.stop()) ?? assert.fail();
    assert.deepEqual([ring.packets, lab.ring("packets")], [sent, sent]);
  });

  test("18, 19, 20: a rule is changed under traffic, and nothing is lost", async () => {
    await using lab = await WorkerLab.start();
    const sink = lab.net.receiver("s1", "239.2.0.1", 6000);
    await lab.set(lab.rule(1));
    const running = await stream(lab.net.sender.fd, [lab.frame(1)], { rate: 3000 });
    for (let ttl = 2; ttl < 32; ttl += 1) {
      await lab.set(lab.rule(1, ["o1"], { ttl }), lab.rule(ttl));
      if (ttl % 3 === 0) lab.worker.removeRule(`rule-${ttl}`);
    }
    const sent = await running.stop();
    // What a busy machine was too late for is no loss of the change, and counted.
    const late = (): number => lab.count(10, "shed") + lab.ring("drops");
    await eventually(() => assert.equal(sink.receive().length + late(), sent));
    assert.equal(lab.count(11, "packets"), sink.receive().length);
    assert.ok(late() < sent / 2, `${late()} of ${sent} were late`);
    assert.deepEqual([lab.count(11, "sendErrors"), lab.passed("noRule")], [0, 0]);
  });

  test("30: it stops in order under traffic, and a signal from elsewhere does the same", async () => {
    const lines: string[] = [];
    await configureLogs({ "": "info" }, (line) => lines.push(line));
    try {
      await using lab = await WorkerLab.start();
      await lab.set(lab.rule(1));
      const sink = lab.net.receiver("s1", "239.2.0.1", 6000);
      const running = await stream(lab.net.sender.fd, [lab.frame(1)], { rate: 3000 });
      await eventually(() => assert.ok(lab.count(11, "packets") > 100));
      const first = await lab.runs();
      process.kill(first, "SIGTERM");
      const second = await lab.runs(first);
      assert.equal(lab.worker.status.reason, "it ended with code 0");
      const report = await lab.worker.stop();
      await running.stop();
      assert.equal(report?.copies, lab.count(11, "packets"));
      assert.equal(report?.packets, lab.count(10, "packets"));
      await eventually(() => assert.equal(sink.receive().length, report?.copies));
      for (const pid of [first, second]) assert.equal(WorkerLab.status(pid), undefined);
      const finals = lines.filter((line) => line.includes("r0: final: 1 rules,"));
      assert.equal(finals.length, 2, lines.join("\n"));
      assert.ok(finals[1]!.includes(` ${report?.copies} copies sent,`), finals[1]);
    } finally {
      await configureLogs({}, () => undefined);
    }
  });

  test("a worker that hangs holds up nobody, and is replaced", async () => {
    await using lab = await WorkerLab.start({ limits: { answer: 2000 } });
    await lab.set(lab.rule(1));
    const pid = await lab.runs();
    process.kill(pid, "SIGSTOP");
    // More than its channel holds.
    for (let n = 2; n < 2000; n += 1) lab.worker.setRule({ ...lab.rule(2), id: `${n}`, port: n });
    assert.equal(await lab.worker.sync(), false);
    await lab.runs(pid);
    assert.match(lab.worker.status.reason ?? "", /^it (hangs|has read nothing for 2 s|did not acknowledge .*)$/);
    assert.equal(await lab.worker.sync(), true);
    lab.send(1, 10);
    await eventually(() => assert.equal(lab.count(11, "packets"), 10));
  });

  test("33: the interface goes and comes back", async () => {
    await using lab = await WorkerLab.start();
    await lab.set(lab.rule(1));
    const pid = await lab.runs();
    lab.net.ip("link set r0 down");
    lab.net.ip("link set r0 up");
    lab.send(1, 10);
    await eventually(() => assert.equal(lab.count(11, "packets"), 10));
    assert.equal(lab.dead, 0);
    lab.net.ip("link set r0 name gone0", "link add r0 type veth peer name r0p", "link set r0 up", "link set r0p up");
    lab.net.ip("link delete gone0");
    await eventually(() => assert.equal(lab.dead, 1));
    lab.worker.useRings(true);
    assert.equal(await lab.worker.sync(), true);
    using other = lab.net.relay.run(() => PacketSocket.open("r0p"));
    for (let i = 0; i < 10; i += 1) other.send(lab.frame(1));
    await eventually(() => assert.equal(lab.count(11, "packets"), 20));
    assert.equal(await lab.runs(), pid);
  });

  test("it tells of the last packets of a rule", async () => {
    await using lab = await WorkerLab.start();
    await lab.set(lab.rule(1));
    // Kept from when they are first asked for.
    assert.deepEqual(await lab.worker.trace("rule-1", 5), []);
    lab.send(1, 3);
    const packets = await eventually(async () => {
      const traced = await lab.worker.trace("rule-1", 5);
      assert.equal(traced.length, 3);
      return traced;
    });
    for (const { source, destination, length, outcome } of packets)
      assert.deepEqual([source, destination, length, outcome], ["172.16.0.2:40000", "239.1.0.1:5000", 100, "sent"]);
  });

  test("a worker dies with its supervisor", async () => {
    const words = [import.meta.filename, SUPERVISOR];
    const supervisor = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(supervisor.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    assert.match(WorkerLab.status(pid) ?? "", /^Uid:\t65534/m);
    supervisor.kill("SIGKILL");
    await eventually(() => assert.equal(WorkerLab.status(pid), undefined));
  });
}

async function supervise(): Promise<void> {
  const lab = await WorkerLab.start();
  console.log(lab.worker.status.pid);
  await new Promise(() => undefined);
}

if (process.argv[2] === SUPERVISOR) await supervise();
else tests();
