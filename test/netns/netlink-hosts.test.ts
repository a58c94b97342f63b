/** How hosts are reached: addresses, routes and neighbours as the kernel shows them, and word of their changes. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { dumpAddresses } from "../../src/linux/netlink/address.ts";
import { interfaceIndex } from "../../src/linux/netlink/get.ts";
import { type Change, RtnlMonitor } from "../../src/linux/netlink/monitor.ts";
import { dumpNeighbours } from "../../src/linux/netlink/neighbour.ts";
import { routeTo } from "../../src/linux/netlink/route.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** `east` and `west`, a pair in one namespace, both up. */
function pair(): Netns {
  const ns = Netns.create();
  ip(ns, ["link add east type veth peer name west", "link set east up", "link set west up"]);
  return ns;
}

test("addresses, the first of a subnet and the others, those that cannot be used left out", () => {
  using ns = pair();
  using socket = RtnlSocket.open(ns);
  ns.run(() => writeFileSync("/proc/sys/net/ipv6/conf/west/dad_transmits", "100"));
  ip(ns, [
    "addr add 192.0.2.1/24 dev east",
    "addr add 192.0.2.7/24 dev east",
    "addr add 198.51.100.1 peer 198.51.100.2 dev west",
    "addr add 2001:db8::1/64 dev east nodad",
    // Nobody answers for it, and until that is known it may not be used.
    "addr add 2001:db8::2/64 dev west",
  ]);
  const [a, b] = ["east", "west"].map((name) => interfaceIndex(socket, name));
  const own = { ifindex: a, linkLocal: false };
  assert.deepEqual(
    dumpAddresses(socket).filter(({ linkLocal }) => !linkLocal),
    [
      { ...own, ifindex: b, family: 4, address: "198.51.100.1", prefixLength: 32, secondary: false },
      { ...own, family: 4, address: "192.0.2.1", prefixLength: 24, secondary: false },
      { ...own, family: 4, address: "192.0.2.7", prefixLength: 24, secondary: true },
      { ...own, family: 6, address: "2001:db8::1", prefixLength: 64, secondary: false },
    ],
  );
});

test("routes by an interface, with or without a router, and neighbours whose address is known", () => {
  using ns = pair();
  using socket = RtnlSocket.open(ns);
  ip(ns, [
    "addr add 192.0.2.1/24 dev east",
    "route add 203.0.113.0/24 via 192.0.2.9 dev east",
    "addr add 2001:db8::1/64 dev east nodad",
    "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev east",
    "neigh add 2001:db8::9 lladdr 02:00:00:00:00:06 dev east",
    "neigh add 192.0.2.10 nud failed dev east",
  ]);
  const [a, b] = ["east", "west"].map((name) => interfaceIndex(socket, name)!);
  assert.deepEqual(routeTo(socket, "192.0.2.200", a!), { ifindex: a });
  assert.deepEqual(routeTo(socket, "203.0.113.5", a!), { ifindex: a, gateway: "192.0.2.9" });
  assert.deepEqual(routeTo(socket, "2001:db8::77", a!), { ifindex: a });
  assert.equal(routeTo(socket, "203.0.113.5", b!)?.gateway, undefined);
  const known = dumpNeighbours(socket).map(({ address, mac }) => [address, Buffer.from(mac).toString("hex")]);
  assert.deepEqual(
    // The kernel has groups of its own among them, made of hardware addresses that are random.
    known.filter(([address]) => /^(192|2001)/.test(address!)).toSorted(),
    [
      ["192.0.2.9", "020000000009"],
      ["2001:db8::9", "020000000006"],
    ].toSorted(),
  );
  assert.ok(!known.some(([address]) => address === "192.0.2.10"));
});

test("word of them comes to who asked for it", async () => {
  using ns = pair();
  using monitor = RtnlMonitor.open(ns, undefined, "hosts");
  const hears = async (kind: Change["kind"]): Promise<void> => {
    for (;;) if ((await monitor.next()).some((change) => change.kind === kind)) return;
  };
  for (const line of ["addr add 192.0.2.1/24 dev east", "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev east"]) {
    ip(ns, [line]);
    await hears("hosts");
  }
  ip(ns, ["link del east"]);
  await hears("link");
});
