/** Two namespaces joined by a veth: probes leave `home`, reflectors answer in `away`. */
import { writeFileSync } from "node:fs";
import { ip } from "../../demo/lab.ts";
import { Netns } from "../../src/linux/netns.ts";
import type { Behaviour } from "./icmp-answer.ts";
import { Reflectors } from "./reflector.ts";

/** Addresses of reflectors that no kernel owns: `198.51.100.1` and up, `2001:db8:2::1` and up. */
export const made = (index: number, family: 4 | 6 = 4): string =>
  family === 4 ? `198.51.100.${index}` : `2001:db8:2::${index.toString(16)}`;

/** Known to both from the start: a first neighbour solicitation may take a second. */
const MAC = { home: "02:00:00:00:00:01", away: "02:00:00:00:00:02" } as const;

/** The lab. Dispose to remove it. */
export class ReflectorLab implements Disposable {
  readonly home = Netns.create();
  readonly away = Netns.create();

  /** The kernel of `away` answers at 192.0.2.2 and 2001:db8:1::2 by itself. */
  constructor() {
    for (const ns of [this.home, this.away])
      ns.run(() => {
        for (const which of ["all", "default"]) {
          writeFileSync(`/proc/sys/net/ipv6/conf/${which}/accept_dad`, "0");
          writeFileSync(`/proc/sys/net/ipv4/conf/${which}/rp_filter`, "0");
        }
      });
    this.connect();
  }

  /** Makes `wan0` of home and `isp0` of away, with addresses and routes. */
  connect(): void {
    ip(this.home, [
      `link add wan0 address ${MAC.home} type veth peer name isp0 address ${MAC.away} netns ${this.away.path}`,
      "link set lo up",
      "addr add 192.0.2.1/24 dev wan0",
      "addr add 2001:db8:1::1/64 dev wan0 nodad",
      "link set wan0 up",
      ...["192.0.2.2", "2001:db8:1::2"].map((to) => `neigh add ${to} lladdr ${MAC.away} dev wan0`),
    ]);
    ip(this.away, [
      "link set lo up",
      "addr add 192.0.2.2/24 dev isp0",
      "addr add 2001:db8:1::2/64 dev isp0 nodad",
      "link set isp0 up",
      ...["192.0.2.1", "192.0.2.9", "2001:db8:1::1"].map((to) => `neigh add ${to} lladdr ${MAC.home} dev isp0`),
    ]);
    ip(this.home, ["route add default via 192.0.2.2", "route add ::/0 via 2001:db8:1::2 dev wan0"]);
  }

  /** Removes the veth, with addresses and routes. */
  disconnect(): void {
    ip(this.home, ["link del wan0"]);
  }

  /** Answers for {@link made} addresses. */
  reflect(behaviours: Readonly<Record<string, Behaviour>>): Promise<Reflectors> {
    return Reflectors.start(this.away, "isp0", behaviours);
  }

  [Symbol.dispose](): void {
    this.home[Symbol.dispose]();
    this.away[Symbol.dispose]();
  }
}
