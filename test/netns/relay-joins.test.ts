/** Memberships as the kernel shows them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { addressBytes } from "../../src/core/prefix.ts";
import { type GroupAt, MembershipPool } from "../../src/linux/multicast/membership.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import { checkFds } from "../helpers/leaks.ts";
import { VethPair } from "../helpers/veth.ts";

checkFds();

const at = (ifindex: number, group: string, source?: string): GroupAt => ({
  ifindex,
  group: addressBytes(group),
  ...(source !== undefined && { source: addressBytes(source) }),
});

/** What a file of the namespace's /proc/net says, by lines. */
const lines = (lab: VethPair, file: string): string[] =>
  lab.ns.run(() => readFileSync(`/proc/thread-self/net/${file}`, "utf8")).split("\n");

/** IPv4 groups of an interface by /proc/net/igmp, which writes them as numbers of this machine's order. */
function groups4(lab: VethPair, device: string): string[] {
  const found: string[] = [];
  let current = "";
  for (const line of lines(lab, "igmp")) {
    current = /^\d+\s+(\S+)\s*:/.exec(line)?.[1] ?? current;
    const group = /^\t+([0-9A-F]{8}) /.exec(line)?.[1];
    if (group !== undefined && current === device) found.push([...Buffer.from(group, "hex")].toReversed().join("."));
  }
  return found.filter((group) => group !== "224.0.0.1");
}

const groups6 = (lab: VethPair, device: string): string[] =>
  lines(lab, "igmp6").flatMap((line) => {
    const [, name, group] = line.trim().split(/\s+/);
    return name === device && group !== undefined ? [group] : [];
  });

/** `group source include exclude` of an interface, as /proc/net/mcfilter has them. */
const filters = (lab: VethPair, device: string, file = "mcfilter"): string[] =>
  lines(lab, file).flatMap((line) => {
    const [, name, ...rest] = line.trim().split(/\s+/);
    return name === device ? [rest.join(" ")] : [];
  });

function withIpv6(): VethPair {
  const lab = new VethPair();
  for (const name of ["rt0", "rt1"]) {
    lab.ip("link", "set", name, "addrgenmode", "none");
    lab.sysctl(`net.ipv6.conf.${name}.disable_ipv6=0`);
  }
  return lab;
}

const other = (lab: VethPair): number => dumpLinks(lab.socket).find(({ name }) => name === "rt1")!.ifindex;

test("26: 200 groups are joined on their interface, and left by their last user", async (t) => {
  using lab = new VethPair();
  await using pool = new MembershipPool(lab.ns);
  const wanted = Array.from({ length: 200 }, (_, i) => `239.1.${i >> 6}.${i & 63}`);
  const begin = performance.now();
  const outcomes = await pool.joinAll(wanted.map((group) => at(lab.dev, group)));
  t.diagnostic(`200 joins took ${Math.round(performance.now() - begin)} ms`);
  assert.deepEqual(outcomes.filter(Boolean), []);
  assert.deepEqual(groups4(lab, "rt0").toSorted(), wanted.toSorted());
  assert.deepEqual(groups4(lab, "rt1"), []);
  assert.deepEqual([pool.size, pool.sockets], [200, 10]);

  await pool.join(at(lab.dev, wanted[0]!));
  await Promise.all(wanted.map((group) => pool.leave(at(lab.dev, group))));
  assert.deepEqual(groups4(lab, "rt0"), [wanted[0]]);
  assert.deepEqual([pool.size, pool.sockets], [1, 1]);
  await pool.leave(at(lab.dev, wanted[0]!));
  await pool.leave(at(lab.dev, wanted[0]!));
  assert.deepEqual(groups4(lab, "rt0"), []);
  assert.equal(pool.sockets, 0);
});

test("the room that a group leaves is used again", async () => {
  using lab = new VethPair();
  await using pool = new MembershipPool(lab.ns);
  const groups = Array.from({ length: 40 }, (_, i) => at(lab.dev, `239.2.0.${i}`));
  await pool.joinAll(groups);
  assert.equal(pool.sockets, 2);
  for (let i = 0; i < 30; i += 1) {
    await pool.leave(at(lab.dev, `239.2.0.${i % 40}`));
    await pool.join(at(lab.dev, `239.2.1.${i}`));
  }
  assert.deepEqual([pool.size, pool.sockets], [40, 2]);
});

test("a group of named sources takes those only, however many, until somebody wants all", async () => {
  using lab = new VethPair();
  await using pool = new MembershipPool(lab.ns);
  const sources = Array.from({ length: 25 }, (_, i) => `10.9.0.${i + 1}`);
  const outcomes = await pool.joinAll(sources.map((source) => at(lab.dev, "232.1.1.1", source)));
  assert.deepEqual(outcomes.filter(Boolean), []);
  const included = (source: number): string => `0xe8010101 0x0a0900${source.toString(16).padStart(2, "0")} 1 0`;
  assert.deepEqual(
    filters(lab, "rt0").toSorted(),
    sources.map((_, i) => included(i + 1)),
  );
  assert.deepEqual(groups4(lab, "rt0"), ["232.1.1.1"]);

  await pool.join(at(lab.dev, "232.1.1.1"));
  // The state is EXCLUDE {} now, which is a filter without a source.
  assert.ok(filters(lab, "rt0").every((line) => line.endsWith(" 1 0")));
  await pool.leave(at(lab.dev, "232.1.1.1"));
  for (const source of sources.slice(1)) await pool.leave(at(lab.dev, "232.1.1.1", source));
  assert.deepEqual(filters(lab, "rt0"), [included(1)]);
  await pool.leave(at(lab.dev, "232.1.1.1", sources[0]));
  assert.deepEqual(groups4(lab, "rt0"), []);
});

test("IPv6 has the same", async () => {
  using lab = withIpv6();
  await using pool = new MembershipPool(lab.ns);
  const before = groups6(lab, "rt0");
  const wanted = Array.from({ length: 100 }, (_, i) => `ff15::1:${i.toString(16)}`);
  assert.deepEqual((await pool.joinAll(wanted.map((group) => at(lab.dev, group)))).filter(Boolean), []);
  const joined = groups6(lab, "rt0").filter((group) => !before.includes(group));
  assert.deepEqual(
    joined.toSorted(),
    wanted.map((group) => Buffer.from(addressBytes(group)).toString("hex")).toSorted(),
  );
  await pool.join(at(lab.dev, "ff35::2", "2001:db8::9"));
  assert.deepEqual(
    filters(lab, "rt0", "mcfilter6").filter((line) => line.startsWith("ff35")),
    ["ff350000000000000000000000000002 20010db8000000000000000000000009 1 0"],
  );
  await pool[Symbol.asyncDispose]();
  assert.deepEqual(groups6(lab, "rt0"), before);
  assert.equal(pool.sockets, 0);
});

test("an interface that goes takes its memberships along, and nothing else", async () => {
  using lab = withIpv6();
  await using pool = new MembershipPool(lab.ns);
  lab.ip("link", "add", "gone0", "type", "veth", "peer", "name", "gone1");
  lab.ip("link", "set", "gone0", "up");
  const gone = dumpLinks(lab.socket).find(({ name }) => name === "gone0")!.ifindex;
  const all = [
    at(gone, "239.3.0.1"),
    at(gone, "232.3.0.1", "10.9.0.1"),
    at(gone, "ff15::3"),
    at(gone, "ff35::3", "2001:db8::1"),
  ];
  lab.sysctl("net.ipv6.conf.gone0.disable_ipv6=0");
  assert.deepEqual(await pool.joinAll([...all, at(other(lab), "239.3.0.1")]), Array.from({ length: 5 }));
  lab.ip("link", "delete", "gone0");
  await pool.forget(gone);
  assert.deepEqual([pool.size, pool.sockets], [1, 1]);
  assert.deepEqual(groups4(lab, "rt1"), ["239.3.0.1"]);
  await pool.leave(all[0]!);
  const failures = await pool.joinAll(all);
  assert.deepEqual(
    failures.map((error) => (error as { code?: string } | undefined)?.code),
    all.map(() => "ENODEV"),
  );
  assert.deepEqual([pool.size, pool.sockets], [1, 1]);
});

test("what is no group is refused, and costs nothing", async () => {
  using lab = new VethPair();
  await using pool = new MembershipPool(lab.ns);
  await assert.rejects(pool.join(at(lab.dev, "192.0.2.2")), { code: "EINVAL" });
  assert.equal(pool.sockets, 0);
});

test("no datagram reaches the sockets that hold memberships", async () => {
  using lab = new VethPair();
  await using pool = new MembershipPool(lab.ns);
  await pool.join(at(lab.dev, "239.4.0.1"));
  // A socket without a port is in no table of those that could receive.
  assert.deepEqual(lines(lab, "udp").slice(1).filter(Boolean), []);
});
