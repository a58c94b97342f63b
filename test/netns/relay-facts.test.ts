/** What the relay reads of the box. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { knowsAggregates } from "../../src/linux/packet/ring.ts";
import { readFacts } from "../../src/relay/fetch.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

test("links, the address that copies leave by, and the neighbour behind which a host is", () => {
  using ns = Netns.create();
  ip(ns, [
    "link add east type veth peer name west",
    "link set east address 02:00:00:00:00:01 mtu 1400",
    "link set east up",
    "link set west up",
    "addr add 192.0.2.1/24 dev east",
    "addr add 198.51.100.1/24 dev east",
    "addr add fe80::77/64 dev east nodad",
    "addr add 2001:db8::1/64 dev east nodad",
    "route add 203.0.113.0/24 via 192.0.2.9 dev east",
    "neigh add 192.0.2.9 lladdr 02:00:00:00:00:09 dev east",
  ]);
  using socket = RtnlSocket.open(ns);
  const facts = readFacts(socket);
  const { links, addresses } = facts;
  const { ifindex, ...east } = links.get("east")!;
  assert.deepEqual(east, {
    name: "east",
    up: true,
    mtu: 1400,
    ethernet: true,
    mac: Buffer.from("020000000001", "hex"),
    ...(!knowsAggregates() && { singly: true }),
  });
  assert.equal(links.get("lo")!.ethernet, false);
  assert.deepEqual(addresses.get(ifindex), { 4: "192.0.2.1", 6: "2001:db8::1" });
  const router = Buffer.from("020000000009", "hex");
  assert.deepEqual(Buffer.from(facts.mac(ifindex, "203.0.113.5")!), router, "by the router");
  assert.deepEqual(Buffer.from(facts.mac(ifindex, "192.0.2.9")!), router);
  assert.equal(facts.mac(ifindex, "192.0.2.10"), undefined, "nobody has asked for it yet");
  assert.equal(facts.mac(links.get("west")!.ifindex, "203.0.113.5"), undefined, "it is not reached by this interface");
});
