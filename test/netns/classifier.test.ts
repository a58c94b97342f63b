/** The classifier's packets: real ones through real trees, also while its table and its program are exchanged. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";
import { type Handle, handle, TC_EGRESS } from "../../src/core/tc/handle.ts";
import { dumpFilters } from "../../src/linux/netlink/dump.ts";
import { ETHERTYPE, ethernet, ipv4, ipv6, pppoe } from "../../src/linux/packet/frame.ts";
import { FILTER_PRIORITY } from "../../src/dispatcher/model.ts";
import type { ClassifierConfig, HostEntry } from "../../src/shaper/model.ts";
import {
  ClassifierLab,
  classOf,
  DEFAULT_MINOR,
  DOWNLOAD,
  everyone,
  hostEntry,
  HOSTS,
  INTERNET4,
  INTERNET6,
  QUEUES,
  STICK,
  UPLOAD,
  v4,
  v6,
} from "../helpers/classifier-lab.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";
import { dropper, putFilter, vlanPusher } from "../helpers/tc-program.ts";

checkFds();

const SUBSCRIBERS = everyone.length;

/** Two packets for each subscriber's class. */
const twoEach = (): Map<Handle, number> => new Map(everyone.map((index) => [classOf(index), 2]));
const sorted = (counts: ReadonlyMap<Handle, number>): [Handle, number][] => [...counts].toSorted(([a], [b]) => a - b);

describe("packets that the classifier sees", () => {
  let lab: ClassifierLab;
  beforeEach(() => {
    lab = new ClassifierLab();
  });
  afterEach(() => lab[Symbol.dispose]());

  const send = (...frames: readonly Uint8Array[]): void => {
    const sender = lab.sender(lab.lan);
    for (const frame of frames) sender.send(frame);
  };
  const attach = async (config: ClassifierConfig, hosts: readonly HostEntry[] = HOSTS): Promise<void> => {
    lab.classifier.swapHosts(hosts);
    await lab.classifier.attach(lab.lan, config);
  };

  test("every subscriber's downloads pass its class, in its queue", async () => {
    await attach(DOWNLOAD);
    send(...everyone.flatMap((i) => [ethernet(ipv4(INTERNET4, v4(i))), ethernet(ipv6(INTERNET6, v6(i)))]));
    assert.deepEqual(sorted(lab.classes()), sorted(twoEach()));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: SUBSCRIBERS, known_ipv6: SUBSCRIBERS });
  });

  test("every subscriber's uploads pass its class, in its queue", async () => {
    await attach(UPLOAD);
    send(...everyone.flatMap((i) => [ethernet(ipv4(v4(i), INTERNET4)), ethernet(pppoe(ipv6(v6(i), INTERNET6)))]));
    assert.deepEqual(sorted(lab.classes()), sorted(twoEach()));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: SUBSCRIBERS, known_ipv6: SUBSCRIBERS });
  });

  test("on a stick both directions do, by the tag in the frame", async () => {
    await attach(STICK);
    const down = everyone.map((i) => ethernet(ipv4(INTERNET4, v4(i)), [{ id: 10 }]));
    const up = everyone.map((i) => ethernet(ipv4(v4(i), INTERNET4), [{ id: 20 }]));
    send(...down, ...up);
    assert.deepEqual(sorted(lab.classes()), sorted(twoEach()));
    send(ethernet(ipv4(INTERNET4, v4(0)), [{ id: 30 }]), ethernet(ipv4(INTERNET4, v4(0))));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 2 * SUBSCRIBERS, other_vlan: 2 });
  });

  test("on a stick both directions do, by a tag that the device shall insert", async () => {
    await attach(STICK);
    // The filter before ours leaves the tag beside the frame, as the kernel's own VLAN devices do.
    for (const [id, frames] of [
      [10, everyone.map((i) => ethernet(ipv4(INTERNET4, v4(i))))],
      [20, everyone.map((i) => ethernet(ipv6(v6(i), INTERNET6)))],
    ] as const) {
      using tagger = vlanPusher(id);
      putFilter(lab.socket, lab.lan.ifindex, tagger, 1);
      send(...frames);
    }
    assert.deepEqual(sorted(lab.classes()), sorted(twoEach()));
    // With a tag in the frame as well, the one beside it is the outermost.
    send(ethernet(ipv6(v6(0), INTERNET6), [{ id: 10 }]));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: SUBSCRIBERS, known_ipv6: SUBSCRIBERS + 1 });
  });

  test("unknown hosts and what is not IP go to the default class", async () => {
    await attach(DOWNLOAD);
    const others = everyone.map((i) => ethernet(ipv4(INTERNET4, `10.1.${i}.2`)));
    const arp = ethernet({ type: ETHERTYPE.ARP, bytes: Buffer.alloc(46) });
    send(...others, ethernet(ipv6(INTERNET6, "2001:db8:1::1")), arp);
    const counts = lab.classes();
    assert.deepEqual(new Set([...counts.keys()].map((classid) => classid & 0xffff)), new Set([DEFAULT_MINOR]));
    assert.equal(sum(counts.values()), SUBSCRIBERS + 2);
    assert.deepEqual(lab.outcomes(lab.lan), { unknown_ipv4: SUBSCRIBERS, unknown_ipv6: 1, not_ip: 1 });
  });

  test("unknown hosts are spread over the queues they were given, one queue per flow", async () => {
    const unknown = { firstQueue: 3, queues: 2, classid: 0 as Handle };
    await attach({ ...DOWNLOAD, unknown: { download: unknown, upload: unknown } });
    const flows = Array.from({ length: 64 }, (_, port) => ethernet(ipv4(INTERNET4, "10.1.0.1", { port: 1024 + port })));
    send(...flows);
    const counts = lab.classes();
    assert.deepEqual([...counts.keys()].toSorted(), [handle(3, DEFAULT_MINOR), handle(4, DEFAULT_MINOR)]);
    const once = lab.classes();
    send(...flows);
    assert.deepEqual(
      sorted(lab.classes(once)),
      sorted(once),
      "the second time every flow goes where it went the first",
    );
  });

  test("unknown hosts go to a class of their own where one is given", async () => {
    const classid = classOf(1);
    const unknown = { firstQueue: 1 + (1 % QUEUES), queues: 1, classid };
    await attach({ ...DOWNLOAD, unknown: { download: unknown, upload: unknown } });
    send(...everyone.map((i) => ethernet(ipv4(INTERNET4, `10.1.${i}.2`))));
    assert.deepEqual(sorted(lab.classes()), [[classid, SUBSCRIBERS]]);
  });

  test("cut off frames are malformed, whole ones are not, whatever their length", async () => {
    await attach(DOWNLOAD);
    for (const [frame, headers] of [
      [ethernet(ipv4(INTERNET4, v4(0))), 34],
      [ethernet(ipv6(INTERNET6, v6(0))), 54],
    ] as const) {
      // A packet socket takes nothing shorter than an Ethernet header.
      for (let length = 14; length <= 60; length += 1) {
        const earlier = lab.outcomes(lab.lan);
        send(frame.subarray(0, length));
        const now = lab.outcomes(lab.lan);
        const outcome = length < headers ? "malformed" : headers === 34 ? "known_ipv4" : "known_ipv6";
        assert.deepEqual(now, { ...earlier, [outcome]: (earlier[outcome] ?? 0) + 1 }, `${headers} cut to ${length}`);
      }
    }
  });

  test("headers that are not in the packet's linear part are read as well", async () => {
    await attach(DOWNLOAD);
    // Of a frame larger than a page a packet socket leaves the Ethernet header only in the linear part.
    const big = everyone.map((i) => ethernet(pppoe(ipv6(INTERNET6, v6(i), { size: 8000 })), [{ id: 1 }, { id: 2 }]));
    send(...big, ...everyone.map((i) => ethernet(ipv4(INTERNET4, v4(i), { size: 8000 }))));
    assert.deepEqual(sorted(lab.classes()), sorted(twoEach()));
    const { known_ipv6: counter } = lab.classifier.outcomes(lab.lan.ifindex)!;
    assert.deepEqual(counter, { packets: SUBSCRIBERS, bytes: sum(big.map((frame) => frame.length)) });
  });

  test("a device with bare IP packets is read from its first byte", async () => {
    lab.ip("tuntap", "add", "tun0", "mode", "tun");
    lab.ip("link", "set", "tun0", "up");
    lab.ip("address", "add", "10.0.0.1/16", "dev", "tun0");
    lab.classifier.swapHosts(HOSTS);
    const device = lab.device("tun0");
    await lab.classifier.attach(device, DOWNLOAD);
    const sender = lab.sender(device);
    sender.send(ipv4(INTERNET4, v4(0)).bytes);
    sender.send(ipv6(INTERNET6, v6(0)).bytes);
    assert.deepEqual(lab.outcomes(device), { known_ipv4: 1, known_ipv6: 1 });
    await lab.classifier.detach(device);
  });

  test("tables are exchanged under traffic and no packet meets a gap", async () => {
    await attach(DOWNLOAD);
    const tables = [
      HOSTS,
      HOSTS.map((entry, i) => (i < 2 ? hostEntry(i === 0 ? v4(0) : "2001:db8:0:1::/64", 5) : entry)),
    ];
    const sender = lab.sender(lab.lan);
    const frames = [ethernet(ipv4(INTERNET4, v4(0))), ethernet(ipv6(INTERNET6, v6(0)))];
    const running = await stream(sender.fd, frames);
    // With one processor it takes some until a packet gets in between.
    const met = () => lab.classes().size === tables.length && sum(Object.values(lab.outcomes(lab.lan))) > 1000;
    for (let swap = 1; swap <= 100 || (!met() && swap <= 5000); swap += 1) lab.classifier.swapHosts(tables[swap % 2]!);
    const sent = await running.stop();
    const outcomes = lab.outcomes(lab.lan);
    assert.deepEqual(Object.keys(outcomes), ["known_ipv4", "known_ipv6"]);
    assert.equal(sum(Object.values(outcomes)), sent);
    assert.ok(sent > 1000, `${sent} packets are too few to have met a swap`);
    const seen = [...lab.classes().keys()].toSorted();
    assert.deepEqual(seen, [classOf(0), classOf(5)].toSorted(), "packets met both tables");
  });

  test("the program is exchanged under traffic, goes on counting, and no packet is unclassified", async () => {
    await attach(DOWNLOAD);
    const sender = lab.sender(lab.lan);
    const running = await stream(sender.fd, [ethernet(ipv4(INTERNET4, v4(3)))]);
    for (let turn = 1; turn <= 50; turn += 1) {
      const unknown = { firstQueue: 1 + (turn % 2), queues: 1, classid: 0 as Handle };
      const config = { ...DOWNLOAD, unknown: { download: unknown, upload: unknown } };
      await lab.classifier.attach(lab.lan, config);
      assert.deepEqual(lab.classifier.fetch(lab.lan), { config });
    }
    const sent = await running.stop();
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: sent });
    assert.deepEqual([...lab.classes().keys()], [classOf(3)]);
    assert.ok(sent > 1000, `${sent} packets are too few to have met an exchange`);
    assert.equal(dumpFilters(lab.socket, lab.lan.ifindex, TC_EGRESS).length, 1);
  });

  test("the filters behind ours still see the packets", async () => {
    await attach(DOWNLOAD);
    using filter = dropper();
    putFilter(lab.socket, lab.lan.ifindex, filter, FILTER_PRIORITY + 1);
    assert.throws(() => send(ethernet(ipv4(INTERNET4, v4(0)))), { code: "ENOBUFS" });
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 1 });
    assert.deepEqual(sorted(lab.classes()), []);
  });
});

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
