/**
 * A router's interface with four transmit queues, an HTB on each, and a wire that leads nowhere: frames that are sent by
 * it can be found again in the counters of the class they went through.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Handle, handle, TC_CLSACT } from "../../src/core/tc/handle.ts";
import { parsePrefix } from "../../src/core/prefix.ts";
import { dumpClasses, dumpLinks, dumpQdiscs } from "../../src/linux/netlink/dump.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { Classifier } from "../../src/shaper/classifier.ts";
import type { Device } from "../../src/core/tc-place.ts";
import type { ClassifierConfig, HostEntry, UnknownTarget } from "../../src/shaper/model.ts";
import { TestBpffs } from "./bpffs.ts";
import { egressAt } from "./egress.ts";

export const QUEUES = 4;
/** Classes of subscribers in each HTB: 10, 11, ... */
const CLASSES = 4;
const FIRST_CLASS = 0x10;
/** The default class of each HTB, where unknown hosts go. */
export const DEFAULT_MINOR = 1;

const none: UnknownTarget = { firstQueue: 0, queues: 0, classid: 0 as Handle };
/** Everything that leaves goes to subscribers; the kernel picks queues for unknown hosts. */
export const DOWNLOAD: ClassifierConfig = {
  side: "download",
  lanVlan: 0,
  internetVlan: 0,
  unknown: { download: none, upload: none },
};

/** Subscriber `index`'s class: round and round the queues, so that neighbours are in different ones. */
export const classOf = (index: number): Handle =>
  handle(1 + (index % QUEUES), FIRST_CLASS + (Math.floor(index / QUEUES) % CLASSES));

/** A row of the table: download and upload go to the same class, as each test has one direction. */
export function hostEntry(text: string, index: number): HostEntry {
  const prefix = parsePrefix(text);
  assert.ok(typeof prefix === "object", text);
  const target = { classid: classOf(index), queue: 1 + (index % QUEUES) };
  return { prefix, target: { download: target, upload: target } };
}

/** Towards the Internet. */
export const UPLOAD: ClassifierConfig = { ...DOWNLOAD, side: "upload" };
/** Both, by VLAN. */
export const STICK: ClassifierConfig = { ...DOWNLOAD, side: "vlan", lanVlan: 10, internetVlan: 20 };

/** As many subscribers as there are classes. */
export const everyone: readonly number[] = Array.from({ length: QUEUES * CLASSES }, (_, index) => index);
/** A subscriber's addresses, and two of the Internet. */
export const v4 = (index: number): string => `10.0.${index}.2`;
export const v6 = (index: number): string => `2001:db8:0:${(index + 1).toString(16)}::2`;
export const INTERNET4 = "198.51.100.1";
export const INTERNET6 = "2001:db8:ffff::1";
/** Two rows for each subscriber. */
export const HOSTS: readonly HostEntry[] = everyone.flatMap((index) => [
  hostEntry(v4(index), index),
  hostEntry(v6(index).replace(/2$/, "/64"), index),
]);

/** The lab; everything is gone when it is disposed. */
export class ClassifierLab implements Disposable {
  readonly #disposables = new DisposableStack();
  readonly #senders = new Map<number, PacketSocket>();
  readonly near: Netns;
  readonly socket: RtnlSocket;
  readonly bpffs: TestBpffs;
  readonly pins: string;
  readonly classifier: Classifier;
  /** `lan` has queues and a tree, `wan` only one queue and no tree. */
  readonly lan: Device;
  readonly wan: Device;

  constructor() {
    const own = <T extends Disposable>(value: T): T => this.#disposables.use(value);
    this.bpffs = own(new TestBpffs());
    this.pins = `${this.bpffs.path}/link`;
    this.near = own(Netns.create());
    const far = own(Netns.create());
    this.socket = own(RtnlSocket.open(this.near));
    // No router solicitations and multicast reports: only what a test sends shall be counted. (Kernels may lack IPv6.)
    for (const ns of [this.near, far]) {
      this.run("sysctl", ["-qe", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"], ns);
    }
    const queues = ["numtxqueues", String(QUEUES), "numrxqueues", String(QUEUES)];
    for (const [name, options] of [
      ["lan", queues],
      ["wan", []],
    ] as const) {
      const peer = ["peer", "name", `${name}-far`, ...options, "netns", far.path];
      this.ip("link", "add", name, ...options, "mtu", "9000", "type", "veth", ...peer);
      this.run("ip", ["link", "set", `${name}-far`, "mtu", "9000", "up"], far);
      this.ip("link", "set", name, "up");
    }
    this.#plant();
    const root = mkdtempSync(join(tmpdir(), "sluice-classifier-"));
    this.#disposables.defer(() => rmSync(root, { recursive: true }));
    const egress = own(egressAt({ ...pathsBelow(root), pins: this.bpffs.path }, this.near.path));
    this.classifier = own(new Classifier({ pins: this.pins, socket: this.socket, egress }));
    this.lan = this.device("lan");
    this.wan = this.device("wan");
  }

  /** mq with an HTB on each queue, a default class and the subscribers' classes in each. */
  #plant(): void {
    const lines = ["qdisc replace dev lan root handle 7fff: mq"];
    for (let q = 1; q <= QUEUES; q += 1) {
      lines.push(`qdisc add dev lan parent 7fff:${q} handle ${q}: htb default ${DEFAULT_MINOR}`);
      const minors = [DEFAULT_MINOR, ...Array.from({ length: CLASSES }, (_, index) => FIRST_CLASS + index)];
      for (const minor of minors)
        lines.push(`class add dev lan parent ${q}: classid ${q}:${minor.toString(16)} htb rate 10gbit quantum 60000`);
    }
    this.tc(lines);
  }

  /** A device by name. */
  device(name: string): Device {
    const link = dumpLinks(this.socket).find((each) => each.name === name);
    assert.ok(link, `no device ${name}`);
    return { name, ifindex: link.ifindex };
  }

  /** Runs `ip` where the devices are. */
  ip(...words: string[]): void {
    this.run("ip", words);
  }

  /** Runs lines of `tc` where the devices are. */
  tc(lines: readonly string[]): void {
    this.run("tc", ["-batch", "-"], this.near, `${lines.join("\n")}\n`);
  }

  /** Runs a command and returns its output. */
  run(command: string, words: readonly string[], ns = this.near, input = ""): string {
    const done = ns.run(() => spawnSync(command, words, { encoding: "utf8", input }));
    assert.equal(done.status, 0, `${command} ${words.join(" ")}: ${done.stderr}`);
    return done.stdout;
  }

  /** The socket that sends frames by a device; one for all, as closing one takes the kernel 10 ms. */
  sender(device: Device): PacketSocket {
    const sender =
      this.#senders.get(device.ifindex) ?? this.#disposables.use(PacketSocket.open(device.name, this.near));
    this.#senders.set(device.ifindex, sender);
    return sender;
  }

  /** Packets that went through each class since `before` was taken, those of classes that had none left out. */
  classes(before: ReadonlyMap<Handle, number> = new Map()): Map<Handle, number> {
    const counts = new Map<Handle, number>();
    for (const { at, stats } of dumpClasses(this.socket, this.lan.ifindex)) {
      const packets = stats.packets - (before.get(at.classid) ?? 0);
      if (packets !== 0) counts.set(at.classid, packets);
    }
    return counts;
  }

  /** Whether a device has a clsact qdisc. */
  hasClsact({ ifindex }: Device): boolean {
    return dumpQdiscs(this.socket, ifindex).some(({ at }) => at.parent === TC_CLSACT && at.qdisc.kind === "clsact");
  }

  /** The outcomes of a device that are not 0, as packets. */
  outcomes(device: Device): Record<string, number> {
    const outcomes = this.classifier.outcomes(device.ifindex);
    const counts = outcomes ? Object.entries(outcomes).map(([name, { packets }]) => [name, packets] as const) : [];
    return Object.fromEntries(counts.filter(([, packets]) => packets !== 0));
  }

  [Symbol.dispose](): void {
    this.#disposables.dispose();
  }
}
