import assert from "node:assert/strict";
import { test } from "node:test";
import { refusal } from "./guard.ts";

test("what makes, changes or removes qdiscs and classes is taken", () => {
  for (const line of [
    "qdisc replace dev eth1 root handle 7FFF: mq",
    "class add dev eth1 parent 0x1:0x3 classid 0x4 htb rate 1.0mbit ceil 105.0mbit prio 3 quantum 6297",
    "qdisc delete dev eth0 root",
    "  class   change dev eth0 classid 0x1:0x4 htb rate 1mbit",
  ])
    assert.equal(refusal(line), undefined, line);
});

test("everything else is refused, with the word that stands against it", () => {
  for (const [line, reason] of [
    ["", /empty/],
    ["filter add dev eth0 bpf obj /tmp/x.o", /"filter" is neither qdisc nor class/],
    ["-b /etc/passwd", /"-b" is neither/],
    ["tc qdisc add dev eth0 root mq", /"tc" is neither/],
    ["exec bpf import /tmp/x", /"exec"/],
    ["qdisc show dev eth0", /"show" is none of add, replace/],
    ["qdisc", /"" is none of/],
    ["qdisc add dev eth0 root mq\nfilter del dev eth0", /control character/],
    ["class add dev eth0 # parent 1:", /comment/],
  ] as const)
    assert.match(refusal(line) ?? "", reason, line);
});
