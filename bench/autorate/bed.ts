/**
 * A line whose capacity varies, in four namespaces: `cli --lan-- rtr --wan-- isp --core-- net`. The bottleneck is what the
 * isp sends by: `cust` towards the router, `core` towards the net. The namespaces have no names and go with this process,
 * however it ends.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { ip } from "../../demo/lab.ts";
import { type Both, both, type Direction, DIRECTIONS } from "../../src/core/both.ts";
import { handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import { bitsPerSecond, bytes } from "../../src/core/units.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { MessageWriter } from "../../src/linux/netlink/message.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { encodeQdisc } from "../../src/linux/netlink/tc/qdisc.ts";
import { Netns } from "../../src/linux/netns.ts";
import { ethernet } from "../../src/linux/packet/frame.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";

/** Addresses of the bed: those that are set apart for benchmarks, and for documentation. */
export const BED = {
  client: "198.18.1.2",
  /** Where servers answer. */
  server: "198.18.3.2",
  /** Answered by the kernel: echo and timestamp. */
  reflectors: Array.from({ length: 12 }, (_, i) => `192.0.2.${i + 1}`),
  /** Where the router's shapers stand. */
  shapers: { download: "ifb4wan", upload: "wan" },
  /** The same in the words of the configuration. */
  targets: { download: "htb ifb4wan 1:1", upload: "htb wan 1:1" },
} as const;

/** Where a direction passes the bottleneck, and how much may wait before it: half a second at the first capacity. */
const BOTTLENECK = {
  download: { device: "cust", burst: 8192, limit: 1_250_000 },
  upload: { device: "core", burst: 4096, limit: 312_500 },
} as const;
/** A rate at which nothing passes in a second but what the burst lets through: one packet. */
const STOPPED = { rate: 1000, burst: 1600 };
/** The same without load: one probe passes, and the next after many seconds. Larger packets would be dropped. */
const STOPPED_IDLE = { rate: 100, burst: 100 };

/** A frame for nobody, of a type for experiments (IEEE 802, 88b5): whoever receives it drops it. */
const NUDGE = ethernet({ type: 0x88b5, bytes: Buffer.alloc(46) });

/** kbit/s, or `stopped`: packets wait. `stopped-idle` lets nothing larger than a probe wait. */
export type Capacity = number | "stopped" | "stopped-idle";

/** The namespaces, and the two ends of each link with their addresses. */
const LINKS = [
  ["cli", "lan", "198.18.1.2", "rtr", "lan", "198.18.1.1"],
  ["rtr", "wan", "198.18.2.1", "isp", "cust", "198.18.2.2"],
  ["isp", "core", "198.18.3.1", "net", "core", "198.18.3.2"],
] as const;
const mac = (link: number, end: number): string => `02:00:00:00:0${link}:0${end}`;

/** Lines for `ip` that give the reflectors to the net, or take them. */
const addresses = (how: "add" | "del"): string[] => BED.reflectors.map((address) => `addr ${how} ${address}/32 dev lo`);

/** The bed. Dispose to remove it. */
export class Bed implements Disposable {
  readonly cli = Netns.create();
  readonly rtr = Netns.create();
  readonly isp = Netns.create();
  readonly net = Netns.create();
  readonly #socket: RtnlSocket;
  readonly #nudges: Both<PacketSocket>;
  readonly #ifindex: Readonly<Record<string, number>>;

  constructor() {
    for (const ns of this.#all())
      ns.run(() => {
        // No multicast reports among the packets that are counted.
        for (const which of ["all", "default"]) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/disable_ipv6`, "1");
      });
    for (const ns of [this.rtr, this.isp]) ns.run(() => writeFileSync("/proc/sys/net/ipv4/ip_forward", "1"));
    LINKS.forEach((link, index) => this.#join(index, ...link));
    for (const ns of this.#all()) ip(ns, ["link set lo up"]);
    ip(this.cli, ["route add default via 198.18.1.1"]);
    ip(this.rtr, ["route add default via 198.18.2.2"]);
    ip(this.isp, ["route add 198.18.1.0/24 via 198.18.2.1", "route add 192.0.2.0/24 via 198.18.3.2"]);
    ip(this.net, [
      "route add default via 198.18.3.1",
      ...BED.reflectors.map((address) => `addr add ${address} dev lo`),
    ]);
    this.#socket = RtnlSocket.open(this.isp);
    this.#ifindex = Object.fromEntries(dumpLinks(this.#socket).map(({ name, ifindex }) => [name, ifindex]));
    this.#nudges = both((direction) => PacketSocket.open(BOTTLENECK[direction].device, this.isp));
    for (const direction of DIRECTIONS) this.#bottleneck("add", direction, 1000);
  }

  *#all(): Generator<Netns> {
    yield* [this.cli, this.rtr, this.isp, this.net];
  }

  #join(index: number, ...[a, aName, aAddress, b, bName, bAddress]: (typeof LINKS)[number]): void {
    const ends = [
      {
        ns: this[a],
        name: aName,
        address: aAddress,
        mac: mac(index, 1),
        peer: { address: bAddress, mac: mac(index, 2) },
      },
      {
        ns: this[b],
        name: bName,
        address: bAddress,
        mac: mac(index, 2),
        peer: { address: aAddress, mac: mac(index, 1) },
      },
    ];
    ip(this[a], [
      `link add ${aName} address ${mac(index, 1)} type veth peer name ${bName} address ${mac(index, 2)} netns ${this[b].path}`,
    ]);
    for (const end of ends) {
      ip(end.ns, [
        `addr add ${end.address}/24 dev ${end.name}`,
        `link set ${end.name} up`,
        // Questions for an address would wait in the full queue, too, and be given up.
        `neighbour add ${end.peer.address} lladdr ${end.peer.mac} nud permanent dev ${end.name}`,
      ]);
      // Shapers see packets as they stand on a wire, not the stack's aggregates of up to 64 KB.
      end.ns.run(() =>
        execFileSync("ethtool", ["-K", end.name, "tso", "off", "gso", "off", "gro", "off"], { stdio: "ignore" }),
      );
    }
  }

  #bottleneck(how: "add" | "change", direction: Direction, kbit: Capacity): void {
    const { device, burst, limit } = BOTTLENECK[direction];
    const stopped = kbit === "stopped" ? STOPPED : STOPPED_IDLE;
    const place = typeof kbit === "number" ? { rate: kbit * 1000, burst } : stopped;
    const writer = new MessageWriter();
    encodeQdisc(writer, how, this.#ifindex[device]!, {
      handle: handle(1),
      parent: TC_ROOT,
      qdisc: { kind: "tbf", rate: bitsPerSecond(place.rate), burst: bytes(place.burst), limit: bytes(limit) },
    });
    this.#socket.request(writer.finish());
  }

  /** What the line carries from now on; what waits before it goes on waiting. @throws RtnlError */
  setCapacity(direction: Direction, capacity: Capacity): void {
    this.#bottleneck("change", direction, capacity);
    // A TBF that was stopped would not look at its queue before the next packet comes.
    if (typeof capacity === "number") this.#nudges[direction].send(NUDGE);
  }

  /** Takes the reflectors away, so that nobody answers for them, or gives them back. The server stays. */
  silence(on: boolean): void {
    ip(this.net, addresses(on ? "del" : "add"));
  }

  /**
   * The router's own shapers, in CAKE's stead: a class 1:1 that alone sets the rate, below it ICMP first, as CAKE prefers
   * sparse flows (a probe would measure our own queue otherwise), and everything else in a short fifo.
   *
   * @param rates kbit/s
   */
  shape(rates: Readonly<Record<Direction, number>>): void {
    ip(this.rtr, ["link add ifb4wan type ifb", "link set ifb4wan up"]);
    const lines = DIRECTIONS.flatMap((direction) => {
      const dev = `dev ${BED.shapers[direction]}`;
      const rate = `${rates[direction]}kbit`;
      return [
        `qdisc add ${dev} root handle 1: htb default 20`,
        `class add ${dev} parent 1: classid 1:1 htb rate ${rate} ceil ${rate}`,
        // No ceiling of their own, so that nothing but 1:1 need be changed.
        `class add ${dev} parent 1:1 classid 1:10 htb rate 200kbit ceil 10gbit prio 0 quantum 1514`,
        `class add ${dev} parent 1:1 classid 1:20 htb rate 100kbit ceil 10gbit prio 1 quantum 1514`,
        `qdisc add ${dev} parent 1:20 handle 20: bfifo limit 60kb`,
        `filter add ${dev} parent 1: protocol ip prio 1 u32 match ip protocol 1 0xff flowid 1:10`,
      ];
    });
    this.#tc(this.rtr, [
      ...lines,
      "qdisc add dev wan clsact",
      "filter add dev wan ingress protocol all prio 1 u32 match u32 0 0 action mirred egress redirect dev ifb4wan",
    ]);
  }

  #tc(ns: Netns, lines: readonly string[]): void {
    ns.run(() => execFileSync("tc", ["-batch", "-"], { input: lines.join("\n"), stdio: ["pipe", "ignore", "pipe"] }));
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]();
    for (const direction of DIRECTIONS) this.#nudges[direction][Symbol.dispose]();
    for (const ns of this.#all()) ns[Symbol.dispose]();
  }
}
