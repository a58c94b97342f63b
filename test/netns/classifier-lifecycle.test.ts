/** The classifier's life on an interface: found again from the kernel alone, exchanged, and taken away without a trace. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { prefix } from "../../src/core/prefix.ts";
import { FILTER_PRIORITY } from "../../src/dispatcher/model.ts";
import { TC_EGRESS, TC_INGRESS } from "../../src/core/tc/handle.ts";
import { dumpFilters } from "../../src/linux/netlink/dump.ts";
import { ethernet, ipv4 } from "../../src/linux/packet/frame.ts";
import type { ClassifierConfig, HostEntry } from "../../src/shaper/model.ts";
import {
  ClassifierLab,
  classOf,
  DOWNLOAD,
  hostEntry,
  HOSTS,
  INTERNET4,
  STICK,
  UPLOAD,
  v4,
} from "../helpers/classifier-lab.ts";
import { checkFds } from "../helpers/leaks.ts";
import { putFilter, vlanPusher } from "../helpers/tc-program.ts";

checkFds();

describe("the classifier on an interface", () => {
  let lab: ClassifierLab;
  beforeEach(() => {
    lab = new ClassifierLab();
  });
  afterEach(() => lab[Symbol.dispose]());

  const send = (...frames: readonly Uint8Array[]): void => {
    const sender = lab.sender(lab.lan);
    for (const frame of frames) sender.send(frame);
  };
  const attach = async (config: ClassifierConfig): Promise<void> => {
    lab.classifier.swapHosts(HOSTS);
    await lab.classifier.attach(lab.lan, config);
  };

  test("fetch tells what is there", async () => {
    assert.deepEqual(lab.classifier.fetch(lab.lan), {});
    lab.tc(["qdisc add dev lan clsact"]);
    assert.deepEqual(lab.classifier.fetch(lab.lan), {});
    for (const config of [DOWNLOAD, UPLOAD, STICK]) {
      await lab.classifier.attach(lab.lan, config);
      assert.deepEqual(lab.classifier.fetch(lab.lan), { config });
    }
    assert.deepEqual(lab.classifier.fetch(lab.wan), {});
    assert.equal(lab.classifier.outcomes(lab.wan.ifindex), undefined);
  });

  test("a program whose pins are lost is known as one to be replaced, and is", async () => {
    await attach(DOWNLOAD);
    lab.run("rm", [`${lab.pins}/hosts`]);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { stale: true });
    assert.equal(lab.classifier.hosts(), undefined);
    await attach(DOWNLOAD);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { config: DOWNLOAD });
    send(ethernet(ipv4(INTERNET4, v4(0))));
    assert.deepEqual([...lab.classes()], [[classOf(0), 1]]);
  });

  test("rows are set, overwritten and removed in the table in use", async () => {
    assert.equal(lab.classifier.hosts(), undefined);
    lab.classifier.setHosts(HOSTS.slice(0, 4));
    await lab.classifier.attach(lab.lan, DOWNLOAD);
    assert.deepEqual([...lab.classifier.hosts()!.values()].length, 4);
    lab.classifier.setHosts([hostEntry(v4(0), 9), ...HOSTS.slice(2, 8)]);
    lab.classifier.deleteHosts([HOSTS[2]!, HOSTS[20]!, HOSTS[3]!]);
    const wanted = [hostEntry(v4(0), 9), HOSTS[1]!, ...HOSTS.slice(4, 8)];
    assert.deepEqual(lab.classifier.hosts(), new Map(wanted.map((entry) => [entry.prefix.key, entry])));
    send(ethernet(ipv4(INTERNET4, v4(0))), ethernet(ipv4(INTERNET4, v4(1))));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 1, unknown_ipv4: 1 });
    assert.equal(lab.classes().get(classOf(9)), 1);
  });

  test("a table that is full is exchanged for a larger one", async () => {
    const many = (count: number, from = 0): HostEntry[] =>
      Array.from({ length: count }, (_, i) => ({ ...HOSTS[0]!, prefix: prefix(4, BigInt(0x0b000000 + from + i), 32) }));
    lab.classifier.swapHosts(many(16));
    lab.classifier.setHosts(many(16_384 - 16, 16));
    assert.equal(lab.classifier.hosts()!.size, 16_384);
    lab.classifier.setHosts([...many(100, 16_384), hostEntry("11.0.0.0", 3)]);
    const hosts = lab.classifier.hosts()!;
    assert.equal(hosts.size, 16_484);
    assert.deepEqual(hosts.get("11.0.0.0/32"), hostEntry("11.0.0.0", 3));
  });

  test("two devices share the table and count apart", async () => {
    await attach(DOWNLOAD);
    await lab.classifier.attach(lab.wan, UPLOAD);
    const wan = lab.sender(lab.wan);
    wan.send(ethernet(ipv4(v4(0), INTERNET4)));
    send(ethernet(ipv4(INTERNET4, v4(0))), ethernet(ipv4(v4(0), INTERNET4)));
    assert.deepEqual(lab.outcomes(lab.wan), { known_ipv4: 1 });
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 1, unknown_ipv4: 1 });
    await lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins).toSorted(), [String(lab.wan.ifindex), "hosts"].toSorted());
    assert.equal(lab.classifier.hosts()!.size, HOSTS.length);
    await lab.classifier.detach(lab.wan);
    assert.deepEqual(readdirSync(lab.pins), []);
    assert.equal(lab.classifier.hosts(), undefined);
  });

  test("attaching again after the last detach, to undo it, finds the table full", async () => {
    await attach(DOWNLOAD);
    await lab.classifier.detach(lab.lan);
    await lab.classifier.attach(lab.lan, DOWNLOAD);
    assert.equal(lab.classifier.hosts()!.size, HOSTS.length);
  });

  test("pins of a device that is gone go with the next detach", async () => {
    await attach(DOWNLOAD);
    await lab.classifier.attach(lab.wan, UPLOAD);
    lab.ip("link", "delete", "wan");
    await lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins), []);
    await lab.classifier.detach(lab.wan);
  });

  test("detaching takes away what attaching made, and twice is harmless", async () => {
    await attach(DOWNLOAD);
    await lab.classifier.detach(lab.lan);
    assert.deepEqual(lab.classifier.fetch(lab.lan), {});
    assert.equal(lab.hasClsact(lab.lan), false);
    await lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins), []);
  });

  test("a clsact that was there stays, and one that others use by now as well", async () => {
    lab.tc(["qdisc add dev lan clsact"]);
    await attach(DOWNLOAD);
    await lab.classifier.detach(lab.lan);
    assert.equal(lab.hasClsact(lab.lan), true);

    await lab.classifier.attach(lab.wan, DOWNLOAD);
    lab.tc(["filter add dev wan ingress protocol all prio 5 u32 match u32 0 0 flowid 1:1"]);
    const theirs = dumpFilters(lab.socket, lab.wan.ifindex, TC_INGRESS);
    await lab.classifier.detach(lab.wan);
    assert.equal(lab.hasClsact(lab.wan), true);
    assert.deepEqual(dumpFilters(lab.socket, lab.wan.ifindex, TC_INGRESS), theirs);
    assert.deepEqual(readdirSync(lab.pins), []);
  });

  test("filters that are not ours are never touched, wherever they stand", async () => {
    lab.tc(["qdisc add dev lan clsact", "filter add dev lan egress protocol ip prio 50 u32 match u32 0 0 flowid 1:1"]);
    using program = vlanPusher(1);
    putFilter(lab.socket, lab.lan.ifindex, program, 51, "theirs");
    const before = lab.run("tc", ["filter", "show", "dev", "lan", "egress"]);
    await attach(DOWNLOAD).catch(() => undefined);
    await lab.classifier.detach(lab.lan);
    assert.equal(lab.run("tc", ["filter", "show", "dev", "lan", "egress"]), before);
  });

  test("a device that the kernel refuses is left as it was", async () => {
    lab.tc(["qdisc add dev lan ingress"]);
    await assert.rejects(attach(DOWNLOAD), { code: "FOREIGN_INGRESS", message: /Cannot attach to lan/ });
    assert.deepEqual(lab.classifier.fetch(lab.lan), {});
    assert.equal(lab.hasClsact(lab.lan), false);
    assert.equal(existsSync(`${lab.pins}/${lab.lan.ifindex}`), false);
  });

  test("the program is a member of the dispatcher on the egress side", async () => {
    await attach(DOWNLOAD);
    const [filter, ...more] = dumpFilters(lab.socket, lab.lan.ifindex, TC_EGRESS);
    assert.deepEqual(more, []);
    assert.equal(filter!.priority, FILTER_PRIORITY);
    assert.equal(filter!.program!.name, "sluice_dispatcher");
    assert.equal(filter!.program!.directAction, true);
  });
});
