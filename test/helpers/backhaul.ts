/**
 * A tower behind a lab's router: the line to it is as slow as told, and homes are behind it. What waits for the line waits at
 * the tower, where nobody manages it. Whoever sends is in a namespace of its own: TCP keeps a short queue of what waits on
 * its own host.
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { ip } from "../../demo/lab.ts";
import type { Both } from "../../src/core/both.ts";
import { Netns } from "../../src/linux/netns.ts";

/** How much may wait, s. */
const BUFFER = 0.4;
const TOWER = "100.127.255.254";

/** Dispose it before the lab. */
export class Backhaul implements Disposable {
  readonly homes = Netns.create();
  readonly #tower: Netns;

  /** @param tower where the lab has its subscribers @param rates kbit/s @param homes addresses that are behind it */
  constructor(tower: Netns, rates: Both<number>, homes: readonly string[]) {
    this.#tower = tower;
    ip(this.homes, [
      `link add home0 type veth peer name tow0 netns ${tower.path}`,
      "link set lo up",
      "link set home0 up",
      ...homes.map((host) => `addr add ${host}/32 dev home0`),
      `route add ${TOWER} dev home0`,
      `route add default via ${TOWER}`,
    ]);
    ip(tower, [
      "link set tow0 up",
      ...homes.map((host) => `route add ${host}/32 dev tow0`),
      "link add air0 type ifb",
      "link set air0 up",
    ]);
    tower.run(() => {
      writeFileSync("/proc/sys/net/ipv4/ip_forward", "1");
      for (const device of ["sub0", "tow0"]) writeFileSync(`/proc/sys/net/ipv4/conf/${device}/proxy_arp`, "1");
    });
    // Packets leave as they stand on a wire.
    this.homes.run(() => execFileSync("ethtool", ["-K", "home0", "tso", "off", "gso", "off"], { stdio: "ignore" }));
    // What comes in on sub0 passes a queue of its own first; ARP is left alone, or the line would be gone when it is full.
    this.#tc([
      ...this.#queues("add", rates),
      "qdisc add dev sub0 clsact",
      "filter add dev sub0 ingress protocol ip prio 1 u32 match u32 0 0 action mirred egress redirect dev air0",
    ]);
  }

  /** What the line carries from now on, kbit/s; what waits goes on waiting. */
  carry(rates: Both<number>): void {
    this.#tc(this.#queues("change", rates));
  }

  #queues(how: "add" | "change", { download, upload }: Both<number>): string[] {
    const tbf = (rate: number): string => `tbf rate ${rate}kbit burst 8kb limit ${Math.round(rate * 125 * BUFFER)}`;
    return [
      `qdisc ${how} dev air0 root handle 1: ${tbf(download)}`,
      `qdisc ${how} dev sub0 root handle 2: ${tbf(upload)}`,
    ];
  }

  #tc(lines: readonly string[]): void {
    const input = lines.join("\n");
    this.#tower.run(() => execFileSync("tc", ["-batch", "-"], { input, stdio: ["pipe", "ignore", "pipe"] }));
  }

  [Symbol.dispose](): void {
    this.homes[Symbol.dispose]();
  }
}
