/** Interfaces as rtnetlink and their drivers show them. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { checkFds } from "../helpers/leaks.ts";
import { VethPair } from "../helpers/veth.ts";

checkFds();

describe("interfaces", () => {
  let veth: VethPair;
  before(() => {
    veth = new VethPair();
  });
  after(() => veth[Symbol.dispose]());
  beforeEach(() => veth.clear());

  test("links", () => {
    const link = dumpLinks(veth.socket).find(({ name }) => name === "rt0");
    assert.ok(link);
    assert.match(link.address, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    const { ifindex: _a, address: _b, qdisc: _c, ...rest } = link;
    assert.deepEqual(rest, { name: "rt0", mtu: 1500, up: true, txQueues: 4, type: 1, kind: "veth" });
    assert.deepEqual(
      dumpLinks(veth.socket).map(({ name, type }) => [name, type]),
      [
        ["lo", 772],
        ["rt1", 1],
        ["rt0", 1],
      ],
    );
  });

  test("transmit queues are those in use, not those allocated", () => {
    // One queue is used unless more are asked for, though one per processor may be allocated.
    veth.ip("link", "add", "rt2", "type", "veth", "peer", "name", "rt3");
    veth.ip("link", "add", "rt4", "type", "ifb");
    const queues = new Map(dumpLinks(veth.socket).map(({ name, txQueues }) => [name, txQueues]));
    assert.deepEqual(
      ["rt0", "rt2", "rt3", "rt4", "lo"].map((name) => queues.get(name)),
      [4, 1, 1, 1, 1],
    );
    veth.ip("link", "del", "rt2");
    veth.ip("link", "del", "rt4");
  });
});
