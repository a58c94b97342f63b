/**
 * A small network in three namespaces: subscribers, a router and the Internet, joined by veths with several queues.
 * The namespaces have no names and go with this process, however it ends.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Netns } from "../src/linux/netns.ts";

/** Addresses of the lab; documentation and shared address space only. */
export const LAB = {
  routerLan: ["100.64.0.1/10", "2001:db8:0:ffff::1/64"],
  routerWan: ["198.51.100.1/24", "2001:db8:ffff::1/64"],
  internet: ["198.51.100.2/24", "2001:db8:ffff::2/64"],
  /** Where the Internet's servers answer. */
  server: { 4: "198.51.100.2", 6: "2001:db8:ffff::2" },
  lan: "lan0",
  wan: "wan0",
} as const;

/** The words for `ip` that give a device an address, which can be used at once. */
const add = (address: string, device: string): string =>
  `addr add ${address} dev ${device}${address.includes(":") ? " nodad" : ""}`;

/** The three namespaces. Dispose to remove them. */
export class Lab implements Disposable {
  readonly subscribers = Netns.create();
  readonly router = Netns.create();
  readonly internet = Netns.create();

  /** Builds the network; `hosts` are the subscribers' addresses, with or without a prefix length. */
  constructor(queues: number, hosts: readonly string[] = []) {
    for (const ns of [this.subscribers, this.router, this.internet]) {
      ns.run(() => {
        // No waiting for duplicate address detection: nobody else is there.
        for (const which of ["all", "default"]) writeFileSync(`/proc/sys/net/ipv6/conf/${which}/accept_dad`, "0");
      });
    }
    const q = `numtxqueues ${queues} numrxqueues ${queues}`;
    ip(this.router, [
      `link add ${LAB.lan} ${q} type veth peer name sub0 ${q} netns ${this.subscribers.path}`,
      `link add ${LAB.wan} ${q} type veth peer name inet0 ${q} netns ${this.internet.path}`,
      ...LAB.routerLan.map((address) => add(address, LAB.lan)),
      ...LAB.routerWan.map((address) => add(address, LAB.wan)),
      ...["lo", LAB.lan, LAB.wan].map((dev) => `link set ${dev} up`),
      // Subscribers' IPv6 networks are reached through the subscribers' own router.
      "route add 2001:db8::/33 via 2001:db8:0:ffff::2 dev lan0",
    ]);
    this.router.run(() => {
      writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
      writeFileSync("/proc/sys/net/ipv6/conf/all/forwarding", "1");
    });
    ip(this.subscribers, [
      "link set lo up",
      "link set sub0 up",
      add("100.127.255.254/10", "sub0"),
      add("2001:db8:0:ffff::2/64", "sub0"),
      ...hosts.map((host) => add(`${host.split("/")[0]}/${host.includes(":") ? 128 : 32}`, "sub0")),
      "route add default via 100.64.0.1",
      "route add ::/0 via 2001:db8:0:ffff::1 dev sub0",
    ]);
    ip(this.internet, [
      "link set lo up",
      "link set inet0 up",
      ...LAB.internet.map((address) => add(address, "inet0")),
      "route add default via 198.51.100.1",
      "route add ::/0 via 2001:db8:ffff::1",
    ]);
    this.#offloadsOff();
  }

  /** Packets leave hosts as they stand on a wire, not as the stack's aggregates of up to 64 KB. */
  #offloadsOff(): void {
    for (const [ns, device] of [
      [this.subscribers, "sub0"],
      [this.internet, "inet0"],
    ] as const) {
      ns.run(() => execFileSync("ethtool", ["-K", device, "tso", "off", "gso", "off"], { stdio: "ignore" }));
    }
  }

  [Symbol.dispose](): void {
    for (const ns of [this.subscribers, this.router, this.internet]) ns[Symbol.dispose]();
  }
}

/** Runs `ip` commands in a namespace, all by one process; it stops at the first that fails. */
export function ip(ns: Netns, lines: readonly string[]): void {
  ns.run(() => execFileSync("ip", ["-batch", "-"], { input: lines.join("\n"), stdio: "pipe" }));
}
