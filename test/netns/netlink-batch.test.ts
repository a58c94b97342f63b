/** Refusals, batches and the sender that leaves the event loop alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, beforeEach, describe, test } from "node:test";
import { handle } from "../../src/core/tc/handle.ts";
import { type QdiscAt } from "../../src/core/tc/qdisc.ts";
import { BatchSender } from "../../src/linux/netlink/batch.ts";
import { dumpClasses, dumpLinks } from "../../src/linux/netlink/dump.ts";
import { type EncodedBatch, RTM } from "../../src/linux/netlink/message.ts";
import { RtnlError } from "../../src/linux/netlink/socket.ts";
import { encodeClass } from "../../src/linux/netlink/tc/class.ts";
import { checkFds } from "../helpers/leaks.ts";
import { batch, classAt, HTB, VethPair } from "../helpers/veth.ts";

checkFds();

describe("batches and refusals", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());
  beforeEach(() => veth.clear());

  test("a refusal carries the kernel's own text", () => {
    const orphan: QdiscAt = { handle: handle(1), parent: handle(9, 9), qdisc: { kind: "bfifo", limit: 1 } };
    assert.throws(() => veth.make(orphan), {
      name: "RtnlError",
      code: "ENOENT",
      extack: "Failed to find specified qdisc",
      message: "RTM_NEWQDISC: Failed to find specified qdisc (ENOENT)",
    });
    veth.make(HTB);
    const stray = { ...classAt(1, handle(1), 1e6), classid: handle(2, 1) };
    const [error] = veth.socket.send(batch((w) => encodeClass(w, "add", veth.dev, stray)));
    assert.ok(error instanceof RtnlError);
    assert.equal(error.extack, undefined);
    assert.equal(error.message, "RTM_NEWTCLASS: invalid argument (EINVAL)");
  });

  test("a batch with a refused message in the middle reports exactly that one and does the rest", () => {
    veth.make(HTB);
    const outcomes = veth.socket.send(
      batch((w) => {
        for (let i = 1; i <= 50; i += 1) encodeClass(w, "add", veth.dev, classAt(i === 25 ? 24 : i, handle(1), 1e6));
      }),
    );
    assert.deepEqual(
      outcomes.flatMap((error, i) => (error ? [[i, error.code]] : [])),
      [[24, "EEXIST"]],
    );
    assert.equal(dumpClasses(veth.socket, veth.dev, handle(1)).length, 49);
  });

  test("3,000 messages with 600 refusals: none is lost", () => {
    veth.make(HTB);
    const outcomes = veth.socket.send(
      batch((w) => {
        for (let i = 0; i < 3000; i += 1)
          encodeClass(w, "add", veth.dev, classAt(i % 5 === 4 ? i : i + 1, handle(1), 1e6));
      }),
    );
    const refusals = outcomes.flatMap((error, i) => (error ? [i] : []));
    assert.deepEqual(
      refusals,
      Array.from({ length: 600 }, (_, i) => 5 * i + 4),
    );
  });

  test("a dump whose decoder throws leaves the socket usable", () => {
    assert.throws(
      () =>
        veth.socket.dump(RTM.GETLINK, new Uint8Array(16), () => {
          throw new TypeError("decoder");
        }),
      /decoder/,
    );
    assert.equal(dumpLinks(veth.socket).length, 3);
  });

  test("a warm sender does small batches at once and large ones in its thread, and stops where one is refused", async () => {
    veth.make(HTB);
    await using sender = new BatchSender(veth.socket);
    await sender.warm();
    const adds = (from: number, to: number): EncodedBatch =>
      batch((w) => {
        for (let i = from; i < to; i += 1) encodeClass(w, "add", veth.dev, classAt(i, handle(1), 1e6));
      });
    assert.deepEqual(await sender.send(adds(1, 11)), Array(10).fill(undefined));
    const tried: number[] = [];
    const [first, second] = await Promise.all([
      sender.send(adds(11, 1011), { progress: (n) => tried.push(n) }),
      sender.send(adds(1000, 1200)),
    ]);
    assert.deepEqual(first, Array(1000).fill(undefined));
    assert.equal(tried.at(-1), 1000);
    assert.ok(tried.every((n, i) => n - (tried[i - 1] ?? 0) <= 64));
    assert.equal(second[0]?.code, "EEXIST");
    assert.equal(second.filter((error) => error).length, 11);
    assert.ok(second.length <= 64, `stopped after ${second.length}`);
    assert.equal(dumpClasses(veth.socket, veth.dev, handle(1)).length, 1010 + second.length - 11);
  });

  test("a sender sends from here at first, and what takes long goes on in a thread", async () => {
    veth.make(HTB);
    veth.socket.request(batch((w) => encodeClass(w, "add", veth.dev, classAt(1, handle(1), 1e6))));
    await using sender = new BatchSender(veth.socket);
    const inThread = (): boolean => new Error("where").stack!.includes("batch-thread.ts");
    const places = new Set<boolean>();
    for (let round = 0; round < 500 && !places.has(true); round += 1) {
      const changes = batch((w) => {
        for (let i = 1; i <= 10_000; i += 1) encodeClass(w, "change", veth.dev, classAt(1, handle(1), 1000 * i));
      });
      const tried: number[] = [];
      const sent = sender.send(changes, { progress: (n) => places.add(inThread()) && tried.push(n) });
      assert.deepEqual(await sent, Array(10_000).fill(undefined));
      assert.ok(tried.length >= 10_000 / 64);
      assert.equal(dumpClasses(veth.socket, veth.dev, handle(1))[0]!.at.htb.rate, 10_000_000);
    }
    assert.deepEqual([...places], [false, true]);
  });

  test("while a sender's thread uses the socket nobody else can", async () => {
    veth.make(HTB);
    await using sender = new BatchSender(veth.socket);
    await sender.warm();
    const sent = sender.send(
      batch((w) => {
        for (let i = 1; i <= 100; i += 1) encodeClass(w, "add", veth.dev, classAt(i, handle(1), 1e6));
      }),
      { progress: () => assert.throws(() => dumpLinks(veth.socket), /while a batch is being sent on it/) },
    );
    assert.equal((await sent).length, 100);
    assert.equal(dumpClasses(veth.socket, veth.dev, handle(1)).length, 100);
  });

  test("a warm thread does not keep the process, and a batch under way does", () => {
    const script = `
      import { BatchSender } from "./src/linux/netlink/batch.ts";
      import { MessageWriter, RTM } from "./src/linux/netlink/message.ts";
      import { RtnlSocket } from "./src/linux/netlink/socket.ts";
      const sender = new BatchSender(RtnlSocket.open());
      await sender.warm();
      const writer = new MessageWriter();
      for (let i = 0; i < 100; i += 1) { writer.begin(RTM.DELQDISC, 1); writer.fixedZeros(20); writer.end(); }
      const outcomes = await sender.send(writer.finish());
      console.log(outcomes.length + " " + outcomes[0].code);`;
    const root = join(import.meta.dirname, "../..");
    const run = veth.ns.run(() =>
      spawnSync(process.execPath, ["--input-type=module-typescript", "--eval", script], {
        cwd: root,
        encoding: "utf8",
        timeout: 120_000,
      }),
    );
    assert.deepEqual([run.stdout, run.stderr, run.status], ["64 ENODEV\n", "", 0]);
  });
});
