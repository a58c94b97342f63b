import assert from "node:assert/strict";
import { test } from "node:test";
import { bitsPerSecond, bytes, megabits } from "../units.ts";
import type { ClassAt } from "./class.ts";
import { type Handle, handle, TC_CLSACT, TC_ROOT } from "./handle.ts";
import type { Qdisc, SeenQdisc } from "./qdisc.ts";
import { classCommand, qdiscCommand, type Verb } from "./text.ts";

const line = (verb: Verb, parent: Handle, number: Handle, qdisc: SeenQdisc): string =>
  qdiscCommand(verb, "eth1", { handle: number, parent, qdisc });

test("qdiscs stand where they belong, their numbers in hex", () => {
  const htb: Qdisc = { kind: "htb", default: 2, r2q: 21_324 };
  assert.equal(
    line("add", handle(0x7fff, 1), handle(1), htb),
    "qdisc add dev eth1 parent 7fff:1 handle 1: htb default 0x2 r2q 21324",
  );
  assert.equal(line("add", TC_ROOT, handle(0x7fff), { kind: "mq" }), "qdisc add dev eth1 root handle 7fff: mq");
  assert.equal(line("add", TC_CLSACT, handle(0xffff), { kind: "clsact" }), "qdisc add dev eth1 clsact");
  assert.equal(
    line("add", handle(1, 0x400), handle(0), { kind: "bfifo", limit: 1600 }),
    "qdisc add dev eth1 parent 1:400 bfifo limit 1600b",
  );
});

test("a removal names the place and the handle only, and works for any kind", () => {
  assert.equal(
    line("del", handle(1, 0x400), handle(0x400), { kind: "cake" }),
    "qdisc del dev eth1 parent 1:400 handle 400:",
  );
  assert.equal(line("del", TC_ROOT, handle(5), { kind: "other", name: "sfq" }), "qdisc del dev eth1 root handle 5:");
  assert.equal(line("del", TC_CLSACT, handle(0xffff), { kind: "clsact" }), "qdisc del dev eth1 clsact");
});

test("an addition states what the value states, a change states every option that can be changed", () => {
  const leaf = handle(1, 0x400);
  assert.equal(
    line("add", leaf, handle(0x400), { kind: "fq_codel", flows: 512, ecn: false }),
    "qdisc add dev eth1 parent 1:400 handle 400: fq_codel flows 512 noecn",
  );
  assert.equal(
    line("change", leaf, handle(0x400), { kind: "fq_codel", flows: 512, ecn: false }),
    "qdisc change dev eth1 parent 1:400 handle 400: fq_codel limit 10240 target 5ms interval 100ms noecn memory_limit 33554432b drop_batch 64",
  );
  assert.equal(
    line("change", leaf, handle(0x400), { kind: "cake", diffserv: "diffserv4" }),
    "qdisc change dev eth1 parent 1:400 handle 400: cake unlimited diffserv4 triple-isolate nonat nowash no-ack-filter split-gso egress rtt 100ms raw noatm mpu 0 memlimit 0b fwmark 0x0",
  );
});

test("classes", () => {
  const at: ClassAt = {
    classid: handle(1, 0x400),
    parent: handle(1, 1),
    htb: {
      rate: megabits(2.5),
      ceil: bitsPerSecond(5e6),
      burst: bytes(12_500),
      cburst: bytes(15_000),
      quantum: bytes(1514),
      prio: 3,
    },
  };
  assert.equal(
    classCommand("add", "eth1", at),
    "class add dev eth1 parent 1:1 classid 1:400 htb rate 2500kbit ceil 5mbit burst 12500b cburst 15000b quantum 1514 prio 3",
  );
  assert.equal(
    classCommand("change", "eth1", { ...at, parent: handle(1) }),
    "class change dev eth1 parent 1: classid 1:400 htb rate 2500kbit ceil 5mbit burst 12500b cburst 15000b quantum 1514 prio 3",
  );
  assert.equal(classCommand("del", "eth1", at), "class del dev eth1 classid 1:400");
});
