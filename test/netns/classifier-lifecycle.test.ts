/** The classifier's life on an interface: found again from the kernel alone, exchanged, and taken away without a trace. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { afterEach, beforeEach, describe, test } from "node:test";
import { prefix } from "../../src/core/prefix.ts";
import { TC_EGRESS, TC_INGRESS } from "../../src/core/tc/handle.ts";
import { dumpFilters } from "../../src/linux/netlink/dump.ts";
import { ethernet, ipv4 } from "../../src/linux/packet/frame.ts";
import { EgressHook } from "../../src/shaper/egress-hook.ts";
import { CLASSIFIER_PRIORITY } from "../../src/shaper/numbers.ts";
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
  const attach = (config: ClassifierConfig): void => {
    lab.classifier.swapHosts(HOSTS);
    lab.classifier.attach(lab.lan, config);
  };

  test("fetch tells what is there", () => {
    assert.deepEqual(lab.classifier.fetch(lab.lan), { hasClsact: false });
    lab.tc(["qdisc add dev lan clsact"]);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { hasClsact: true });
    for (const config of [DOWNLOAD, UPLOAD, STICK]) {
      lab.classifier.attach(lab.lan, config);
      assert.deepEqual(lab.classifier.fetch(lab.lan), { config, hasClsact: true });
    }
    assert.deepEqual(lab.classifier.fetch(lab.wan), { hasClsact: false });
    assert.equal(lab.classifier.outcomes(lab.wan.ifindex), undefined);
  });

  test("a program whose pins are lost is known as one to be replaced, and is", () => {
    attach(DOWNLOAD);
    lab.run("rm", [`${lab.pins}/hosts`]);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { stale: true, hasClsact: true });
    assert.equal(lab.classifier.hosts(), undefined);
    attach(DOWNLOAD);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { config: DOWNLOAD, hasClsact: true });
    send(ethernet(ipv4(INTERNET4, v4(0))));
    assert.deepEqual([...lab.classes()], [[classOf(0), 1]]);
  });

  test("rows are set, overwritten and removed in the table in use", () => {
    assert.equal(lab.classifier.hosts(), undefined);
    lab.classifier.setHosts(HOSTS.slice(0, 4));
    lab.classifier.attach(lab.lan, DOWNLOAD);
    assert.deepEqual([...lab.classifier.hosts()!.values()].length, 4);
    lab.classifier.setHosts([hostEntry(v4(0), 9), ...HOSTS.slice(2, 8)]);
    lab.classifier.deleteHosts([HOSTS[2]!, HOSTS[20]!, HOSTS[3]!]);
    const wanted = [hostEntry(v4(0), 9), HOSTS[1]!, ...HOSTS.slice(4, 8)];
    assert.deepEqual(lab.classifier.hosts(), new Map(wanted.map((entry) => [entry.prefix.key, entry])));
    send(ethernet(ipv4(INTERNET4, v4(0))), ethernet(ipv4(INTERNET4, v4(1))));
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 1, unknown_ipv4: 1 });
    assert.equal(lab.classes().get(classOf(9)), 1);
  });

  test("a table that is full is exchanged for a larger one", () => {
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

  test("two devices share the table and count apart", () => {
    attach(DOWNLOAD);
    lab.classifier.attach(lab.wan, UPLOAD);
    const wan = lab.sender(lab.wan);
    wan.send(ethernet(ipv4(v4(0), INTERNET4)));
    send(ethernet(ipv4(INTERNET4, v4(0))), ethernet(ipv4(v4(0), INTERNET4)));
    assert.deepEqual(lab.outcomes(lab.wan), { known_ipv4: 1 });
    assert.deepEqual(lab.outcomes(lab.lan), { known_ipv4: 1, unknown_ipv4: 1 });
    lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins).toSorted(), [String(lab.wan.ifindex), "hosts"].toSorted());
    assert.equal(lab.classifier.hosts()!.size, HOSTS.length);
    lab.classifier.detach(lab.wan);
    assert.deepEqual(readdirSync(lab.pins), []);
    assert.equal(lab.classifier.hosts(), undefined);
  });

  test("attaching again after the last detach, to undo it, finds the table full", () => {
    attach(DOWNLOAD);
    lab.classifier.detach(lab.lan);
    lab.classifier.attach(lab.lan, DOWNLOAD);
    assert.equal(lab.classifier.hosts()!.size, HOSTS.length);
  });

  test("pins of a device that is gone go with the next detach", () => {
    attach(DOWNLOAD);
    lab.classifier.attach(lab.wan, UPLOAD);
    lab.ip("link", "delete", "wan");
    lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins), []);
    lab.classifier.detach(lab.wan);
  });

  test("detaching takes away what attaching made, and twice is harmless", () => {
    attach(DOWNLOAD);
    lab.classifier.detach(lab.lan);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { hasClsact: false });
    lab.classifier.detach(lab.lan);
    assert.deepEqual(readdirSync(lab.pins), []);
  });

  test("a clsact that was there stays, and one that others use by now as well", () => {
    lab.tc(["qdisc add dev lan clsact"]);
    attach(DOWNLOAD);
    lab.classifier.detach(lab.lan);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { hasClsact: true });

    lab.classifier.attach(lab.wan, DOWNLOAD);
    lab.tc(["filter add dev wan ingress protocol all prio 5 u32 match u32 0 0 flowid 1:1"]);
    const theirs = dumpFilters(lab.socket, lab.wan.ifindex, TC_INGRESS);
    lab.classifier.detach(lab.wan);
    assert.deepEqual(lab.classifier.fetch(lab.wan), { hasClsact: true });
    assert.deepEqual(dumpFilters(lab.socket, lab.wan.ifindex, TC_INGRESS), theirs);
    assert.deepEqual(readdirSync(lab.pins), []);
  });

  test("a filter that is not ours is told of and never touched", () => {
    lab.tc([
      "qdisc add dev lan clsact",
      `filter add dev lan egress protocol ip prio ${CLASSIFIER_PRIORITY} u32 match u32 0 0 flowid 1:1`,
    ]);
    const before = lab.run("tc", ["filter", "show", "dev", "lan", "egress"]);
    assert.deepEqual(lab.classifier.fetch(lab.lan), { foreignFilter: "u32", hasClsact: true });
    assert.throws(() => attach(DOWNLOAD), { code: "FOREIGN_PROGRAM" });
    lab.classifier.detach(lab.lan);
    assert.equal(lab.run("tc", ["filter", "show", "dev", "lan", "egress"]), before);
  });

  test("a program of another kind at our place is foreign too", () => {
    lab.tc(["qdisc add dev lan clsact"]);
    using program = vlanPusher(1);
    putFilter(lab.socket, lab.lan.ifindex, program, CLASSIFIER_PRIORITY, "theirs");
    assert.deepEqual(lab.classifier.fetch(lab.lan), { foreignFilter: "theirs", hasClsact: true });
    assert.throws(() => attach(DOWNLOAD), { code: "FOREIGN_PROGRAM" });
  });

  test("a device that the kernel refuses is left as it was", () => {
    lab.tc(["qdisc add dev lan ingress"]);
    assert.throws(() => attach(DOWNLOAD), { code: "KERNEL_REFUSED", message: /add clsact to lan/ });
    assert.deepEqual(lab.classifier.fetch(lab.lan), { hasClsact: false });
    assert.equal(existsSync(`${lab.pins}/${lab.lan.ifindex}`), false);
  });

  test("our filter is one of ours by its name at its place, whoever reads it", () => {
    attach(DOWNLOAD);
    const [filter, ...more] = dumpFilters(lab.socket, lab.lan.ifindex, TC_EGRESS);
    assert.deepEqual(more, []);
    assert.equal(filter!.priority, CLASSIFIER_PRIORITY);
    assert.equal(filter!.program!.name, "sluice_classify");
    assert.equal(filter!.program!.directAction, true);
    assert.deepEqual(new EgressHook(lab.socket, lab.lan).read(), { programId: filter!.program!.id });
  });
});
