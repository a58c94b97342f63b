/**
 * Three namespaces: a generator (`g0`), the box with the relay (`r0`, and `o1`, `o2`, `o3`), and who receives (`s1`, `s2`,
 * `s3`). They have no names and go with this process, however it ends.
 *
 * Packets are honest, as on a wire: who sends cuts and sums them itself, so that one packet crosses a veth as one. What is
 * received is counted and dropped where it comes in, at the same small cost whoever sent it.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ip } from "../../demo/lab.ts";
import { type Layout, U32 } from "../../src/core/layout.ts";
import { possibleCpus } from "../../src/linux/bpf/cpus.ts";
import { createTcxLink } from "../../src/linux/bpf/link.ts";
import { BpfMap, perCpu } from "../../src/linux/bpf/map.ts";
import { BpfObject } from "../../src/linux/bpf/object.ts";
import { Fd } from "../../src/linux/fd.ts";
import { ifNameToIndex } from "../../src/linux/ffi.ts";
import { Netns } from "../../src/linux/netns.ts";

/** What goes in, and what shall come out. */
export const BED = {
  group: "239.1.1.1",
  port: 5001,
  source: "198.18.0.2",
  /** Where copies of an output go, by its number from 1. */
  output: (number: number) => `239.2.2.${number}`,
  outputPort: 6001,
  most: 3,
} as const;

const OUTPUTS = Array.from({ length: BED.most }, (_, i) => i + 1);
const SEGMENTATION = ["gso", "tso", "tx-udp-segmentation"];
/** Counts and drops what comes to groups. */
const SINK = join(import.meta.dirname, "../../test/bpf/group-sink.bpf.o");
const U64: Layout<number> = {
  size: 8,
  write: (buffer, offset, value) => void buffer.writeBigUInt64LE(BigInt(value), offset),
  read: (buffer, offset) => Number(buffer.readBigUInt64LE(offset)),
};

/** The end of an output's way. */
class Counter implements Disposable {
  readonly #object = BpfObject.open("bench_sink", readFileSync(SINK));
  readonly #device: string;
  #link: Fd | undefined;

  constructor(device: string) {
    this.#device = device;
    this.#object.load();
  }

  /** Attaches it in this thread's namespace, or takes it off. */
  attach(whether: boolean): void {
    this.#link?.[Symbol.dispose]();
    this.#link = undefined;
    if (!whether) return;
    using program = Fd.duplicate(this.#object.programFd("group_sink"));
    this.#link = createTcxLink(program, ifNameToIndex(this.#device), "ingress", { kind: "head" });
  }

  count(): number {
    using map = new BpfMap(Fd.duplicate(this.#object.mapFd("packets")), U32, perCpu(U64, possibleCpus()));
    return map.get(0)!.reduce((sum, count) => sum + count, 0);
  }

  [Symbol.dispose](): void {
    this.#link?.[Symbol.dispose]();
    this.#object[Symbol.dispose]();
  }
}

/** What the devices of the box do: nothing; or join the packets of a stream that come in (GRO), and cut and sum those that leave. */
export type Offload = "none" | "both";

/** The bed. Dispose to remove it. */
export class RelayBed implements Disposable {
  readonly sender = Netns.create();
  readonly box = Netns.create();
  readonly receiver = Netns.create();
  readonly #counters = OUTPUTS.map((n) => new Counter(`s${n}`));
  /** Interface index of `g0`. */
  readonly g0: number;

  constructor() {
    for (const ns of [this.sender, this.box, this.receiver])
      ns.run(() => {
        // No reports of MLD or neighbours among the packets.
        for (const which of ["all", "default"]) {
          writeFileSync(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, "1");
          // Of a route for each source only smcroute and sockets would care; they shall not fail for want of one.
          writeFileSync(`/proc/sys/net/ipv4/conf/${which}/rp_filter`, "0");
        }
      });
    ip(this.box, [
      `link add r0 type veth peer name g0 netns ${this.sender.path}`,
      "addr add 198.18.0.1/24 dev r0",
      ...OUTPUTS.flatMap((n) => [
        `link add o${n} type veth peer name s${n} netns ${this.receiver.path}`,
        `addr add 198.18.${n}.1/24 dev o${n}`,
        `link set o${n} up`,
      ]),
      "link set r0 up",
      "link set lo up",
    ]);
    ip(this.sender, [`addr add ${BED.source}/24 dev g0`, "link set g0 up", "link set lo up"]);
    ip(
      this.receiver,
      OUTPUTS.flatMap((n) => [`addr add 198.18.${n}.2/24 dev s${n}`, `link set s${n} up`]),
    );
    this.g0 = this.sender.run(() => ifNameToIndex("g0"));
    this.#ethtool(this.sender, "g0", [...SEGMENTATION, "tx"], "off");
    this.offload("none");
    this.deliver(false);
  }

  #ethtool(ns: Netns, device: string, features: readonly string[], how: "on" | "off"): void {
    const words = features.flatMap((feature) => [feature, how]);
    ns.run(() => execFileSync("ethtool", ["-K", device, ...words], { stdio: "ignore" }));
  }

  /** Lets the box's devices do as much as a card does, or not. */
  offload(what: Offload): void {
    const how = what === "both" ? "on" : "off";
    for (const n of OUTPUTS) this.#ethtool(this.box, `o${n}`, [...SEGMENTATION, "tx"], how);
    this.#ethtool(this.box, "r0", ["gro", "rx-udp-gro-forwarding"], how);
  }

  /** Packets that came in at each receiver so far; one that stands for many, as many. */
  received(): number[] {
    return this.#counters.map((counter) => counter.count());
  }

  /** Lets sockets of the receivers have the packets, or counts and drops them. */
  deliver(whether: boolean): void {
    this.receiver.run(() => {
      for (const counter of this.#counters) counter.attach(!whether);
    });
  }

  [Symbol.dispose](): void {
    for (const counter of this.#counters) counter[Symbol.dispose]();
    for (const ns of [this.sender, this.box, this.receiver]) ns[Symbol.dispose]();
  }
}
