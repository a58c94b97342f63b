/** A place for tests of tc objects: a namespace of its own with a veth pair, and an rtnetlink socket in it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import type { ClassAt } from "../../src/core/tc/class.ts";
import { type Handle, handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import type { QdiscAt } from "../../src/core/tc/qdisc.ts";
import { bitsPerSecond, bytes } from "../../src/core/units.ts";
import { dumpLinks, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import { type EncodedBatch, MessageWriter } from "../../src/linux/netlink/message.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";

import { encodeQdisc, type QdiscRecord } from "../../src/linux/netlink/tc/qdisc.ts";
import { Netns } from "../../src/linux/netns.ts";

/** Bash opens a UDP socket for such a path and sends what is written in one datagram. */
const SEND_20 = "for i in {1..20}; do printf %0958d 0 > /dev/udp/192.0.2.2/9 || exit; done";

/** The messages that `write` writes. */
export function batch(write: (writer: MessageWriter) => void): EncodedBatch {
  const writer = new MessageWriter();
  write(writer);
  return writer.finish();
}

/** An HTB for the root of a device. */
export const HTB: QdiscAt = { handle: handle(1), parent: TC_ROOT, qdisc: { kind: "htb", default: 0x10, r2q: 21_324 } };

/** A class of {@link HTB} with bursts of 10 ms. */
export const classAt = (minor: number, parent: Handle, rate: number, ceil = 2 * rate): ClassAt => ({
  classid: handle(1, minor),
  parent,
  htb: {
    rate: bitsPerSecond(rate),
    ceil: bitsPerSecond(ceil),
    burst: bytes(Math.max(1600, Math.ceil(rate / 800))),
    cburst: bytes(Math.max(1600, Math.ceil(ceil / 800))),
    quantum: bytes(1514),
    prio: 3,
  },
});

/** `rt0` (four queues, 192.0.2.1/24) and its peer `rt1`, both up, in a namespace that is gone when this is disposed. */
export class VethPair implements Disposable {
  readonly ns = Netns.create();
  readonly socket = RtnlSocket.open(this.ns);
  /** Interface index of rt0. */
  readonly dev: number;

  constructor() {
    // No multicast reports among the packets that are counted.
    this.#quiet("sysctl", "-qe", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1");
    this.ip("link", "add", "rt0", "numtxqueues", "4", "type", "veth", "peer", "name", "rt1");
    for (const name of ["lo", "rt0", "rt1"]) this.ip("link", "set", name, "up");
    this.ip("address", "add", "192.0.2.1/24", "dev", "rt0");
    this.ip("neighbour", "add", "192.0.2.2", "lladdr", "02:00:00:00:00:02", "dev", "rt0");
    this.dev = dumpLinks(this.socket).find(({ name }) => name === "rt0")!.ifindex;
  }

  /** Runs `ip` with these words in the namespace. */
  ip(...words: string[]): void {
    this.#quiet("ip", ...words);
  }

  /** Sets sysctls in the namespace, `name=value`. */
  sysctl(...settings: string[]): void {
    this.#quiet("sysctl", "-q", ...settings);
  }

  #quiet(program: string, ...words: string[]): void {
    const done = this.ns.run(() => spawnSync(program, words, { encoding: "utf8" }));
    assert.equal(done.status, 0, `${program} ${words.join(" ")}: ${done.stderr}`);
  }

  /** Adds a qdisc to rt0. @throws RtnlError */
  make(at: QdiscAt): void {
    this.socket.request(batch((w) => encodeQdisc(w, "add", this.dev, at)));
  }

  /** What the kernel shows of rt0's qdisc with this handle. */
  seen(number: Handle): QdiscRecord | undefined {
    return dumpQdiscs(this.socket, this.dev).find(({ at }) => at.handle === number);
  }

  /** Removes rt0's root qdisc with everything below it; ENOENT when there is none. */
  clear(): void {
    const root = { handle: handle(0), parent: TC_ROOT, qdisc: { kind: "other", name: "any" } } as const;
    this.socket.send(batch((w) => encodeQdisc(w, "del", this.dev, root)));
  }

  /** Sends 20 packets of 1,000 bytes, Ethernet header included, out of rt0. */
  sendPackets(): void {
    const sent = this.ns.run(() => spawnSync("bash", ["-c", SEND_20], { encoding: "utf8" }));
    assert.equal(sent.status, 0, sent.stderr);
  }

  [Symbol.dispose](): void {
    this.socket[Symbol.dispose]();
    this.ns[Symbol.dispose]();
  }
}
