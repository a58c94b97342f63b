/** Namespaces, interfaces, and what others have there. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe, test } from "node:test";
import { attachToDispatcher, detachLinks } from "../../src/dispatcher/manage.ts";
import type { MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { Netns } from "../../src/linux/netns.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { hasJit, unlessMissing } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const loadXdp = (lab: DispatcherLab, name = "pass_count"): Promise<ProgramRecord> =>
  lab.load("xdp-members", "xdp", name);
const loadTc = (lab: DispatcherLab, name = "pipe_count"): Promise<ProgramRecord> => lab.load("tc-members", "tc", name);

describe("namespaces", () => {
  test("26, 27: a program is attached inside the namespace that is named, and rebuilt there", async () => {
    using lab = new DispatcherLab();
    const [one, two] = [await loadXdp(lab, "alpha"), await loadXdp(lab, "beta")];
    const link = await lab.attach(one, "xdp");
    assert.equal(link.details.key.nsid, lab.ns.id);
    await lab.attach(two, "xdp");
    lab.send(2);
    assert.deepEqual([lab.hits(one), lab.hits(two)], [2, 2]);
    using here = Netns.current();
    assert.notEqual(here.id, lab.ns.id);
    const nowhere = { programId: one.id, hook: "xdp" as const, priority: 1, device: "d0" };
    await assert.rejects(attachToDispatcher(lab.dispatcher, nowhere), { code: "DEVICE_MISSING" });
    await assert.rejects(lab.attach(one, "xdp", { device: "nope0" }), {
      code: "DEVICE_MISSING",
      message: /"nope0" does not exist/,
    });
    await assert.rejects(attachToDispatcher(lab.dispatcher, { ...nowhere, netns: "no-such-netns" }), {
      code: "NETNS_MISSING",
    });
  });

  test("28: when the namespace is gone, detaching works and leaves nothing", async () => {
    using lab = new DispatcherLab();
    const program = await loadTc(lab);
    const link = await (async (): Promise<MemberLink> => {
      using gone = Netns.create();
      lab.sh(`ip link add x0 type veth peer name x1; ip link set x0 netns ${gone.path}`);
      const attach = {
        programId: program.id,
        hook: "tc-ingress" as const,
        device: "x0",
        netns: gone.path,
        priority: 1,
      };
      const { items } = await attachToDispatcher(lab.dispatcher, attach);
      return items[0] as MemberLink;
    })();
    lab.restart();
    await detachLinks(lab.dispatcher, [link.id]);
    assert.equal(lab.dispatcher.state().links.size, 0);
    assert.equal(lab.dispatcher.state().dispatchers.size, 0);
    assert.deepEqual(readdirSync(`${lab.paths.pins}/tc-ingress`), []);
    assert.deepEqual(lab.findings(), []);
  });

  test("an interface that is gone is told of by the doctor, and its rows go with gc", async () => {
    using lab = new DispatcherLab();
    await lab.attach(await loadXdp(lab), "xdp");
    lab.sh("ip link del d0");
    assert.match(lab.findings().join("\n"), /^place-gone: The xdp dispatcher on d0 is left without its interface$/m);
    await lab.dispatcher.heal();
    assert.deepEqual([lab.dispatcher.state().links.size, lab.findings()], [0, []]);
  });
});

describe("neighbours", () => {
  test("29: over a foreign ingress qdisc neither side is attached, and it stays", async () => {
    using lab = new DispatcherLab();
    lab.sh("tc qdisc add dev d0 ingress");
    const before = lab.sh("tc qdisc show dev d0");
    const program = await loadTc(lab);
    for (const hook of ["tc-ingress", "tc-egress"] as const)
      await assert.rejects(lab.attach(program, hook), {
        code: "FOREIGN_INGRESS",
        message: /a "ingress" qdisc already occupies/,
      });
    assert.equal(lab.sh("tc qdisc show dev d0"), before);
    assert.equal(lab.dispatcher.state().dispatchers.size, 0);
  });

  test("30: foreign filters on the same clsact stay through attach, rebuild and detach", async () => {
    using lab = new DispatcherLab();
    const theirs = await loadTc(lab);
    lab.sh(
      `tc qdisc add dev d0 clsact; tc filter add dev d0 ingress pref 50 handle 7 bpf da pinned ${lab.paths.pins}/prog_${theirs.id}`,
    );
    const foreign = (): string =>
      lab
        .sh("tc filter show dev d0 ingress")
        .split("\n")
        .filter((line) => line.includes("handle 0x7"))
        .join();
    const before = foreign();
    assert.notEqual(before, "");
    const [one, two] = [await loadTc(lab), await loadTc(lab)];
    const links = [await lab.attach(one, "tc-ingress"), await lab.attach(two, "tc-ingress")];
    assert.equal(foreign(), before);
    lab.send(2);
    assert.deepEqual([lab.hits(one), lab.hits(two)], [2, 2]);
    await lab.detach(...links);
    assert.equal(foreign(), before);
  });

  test("31: the last detach leaves clsact, or takes it where it is ours and nobody uses it", async () => {
    const has = (lab: DispatcherLab): boolean => lab.sh("tc qdisc show dev d0").includes("clsact");
    const detach = (lab: DispatcherLab, link: MemberLink) =>
      detachLinks(lab.dispatcher, [link.id], { reclaimClsact: true });
    using lab = new DispatcherLab();
    const program = await loadTc(lab);
    await lab.detach(await lab.attach(program, "tc-ingress"));
    assert.equal(has(lab), true, "by default it stays");
    await detach(lab, await lab.attach(program, "tc-ingress"));
    assert.equal(has(lab), false, "ours, and empty");
    const link = await lab.attach(program, "tc-ingress");
    lab.sh(`tc filter add dev d0 egress pref 9 bpf da pinned ${lab.paths.pins}/prog_${program.id}`);
    await detach(lab, link);
    assert.equal(has(lab), true, "somebody's filter is on it");
    lab.sh("tc qdisc del dev d0 clsact; tc qdisc add dev e0 clsact");
    const other = await lab.attach(program, "tc-ingress", { device: "e0" });
    await detach(lab, other);
    assert.ok(lab.sh("tc qdisc show dev e0").includes("clsact"), "it was there before us");
  });

  test("66: a foreign XDP program is named and stays", async () => {
    using lab = new DispatcherLab();
    const theirs = await loadXdp(lab, "alpha");
    lab.sh(`ip link set dev d0 xdp pinned ${lab.paths.pins}/prog_${theirs.id}`);
    const program = await loadXdp(lab);
    const message = new RegExp(`already has an XDP program attached by somebody else: alpha \\(id ${theirs.id}\\)`);
    await assert.rejects(lab.attach(program, "xdp"), { code: "FOREIGN_XDP", message });
    assert.match(lab.sh("ip link show d0"), new RegExp(`prog/xdp id ${theirs.id} `));
    lab.send(2);
    assert.deepEqual([lab.hits(theirs), lab.hits(program)], [2, 0]);
    assert.equal(lab.dispatcher.state().dispatchers.size, 0);
  });

  test("67: an interface that is not there leaves no row and no pin", async () => {
    using lab = new DispatcherLab();
    const program = await loadXdp(lab);
    const before = readdirSync(lab.paths.pins, { recursive: true });
    await assert.rejects(lab.attach(program, "xdp", { device: "nope0" }), { code: "DEVICE_MISSING" });
    assert.deepEqual(readdirSync(lab.paths.pins, { recursive: true }), before);
    assert.equal(lab.dispatcher.state().dispatchers.size, 0);
  });
});

describe("members", () => {
  test("38: a program is attached only to what it is for", async () => {
    using lab = new DispatcherLab();
    const [xdp, tc, tcx] = [await loadXdp(lab), await loadTc(lab), await lab.load("tc-members", "tcx", "ok_count")];
    const mismatches = [
      [xdp, "tc-ingress", "a xdp program; the tc attach accepts tc"],
      [tc, "xdp", "a tc program; the xdp attach accepts xdp"],
      [tcx, "tc-egress", "a tcx program; the tc attach accepts tc"],
      [tcx, "xdp", "a tcx program; the xdp attach accepts xdp"],
    ] as const;
    for (const [program, hook, text] of mismatches)
      await assert.rejects(lab.attach(program, hook), {
        code: "PROGRAM_KIND",
        message: new RegExp(`Program ${program.id} is ${text}`),
      });
    assert.equal(lab.dispatcher.state().links.size, 0);
  });

  test("76: members that change packets, tail-call, have functions of their own or call back run in a chain", async (t) => {
    using lab = new DispatcherLab();
    await unlessMissing(t, hasJit, async () => {
      const hits = (program: ProgramRecord): number =>
        lab.hits(program, program.name.includes("subprograms") ? "subprogram_hits" : "change_hits");
      const xdp = [
        await lab.load("packet-changers", "xdp", "adjusts_head"),
        await lab.load("packet-changers", "xdp", "tail_calls"),
        await lab.load("subprograms", "xdp", "xdp_subprograms"),
        await lab.load("packet-changers", "xdp", "adjusts_head"),
      ];
      for (const [i, program] of xdp.entries()) await lab.attach(program, "xdp", { priority: i });
      const tc = [
        await lab.load("packet-changers", "tc", "pulls_data"),
        await lab.load("subprograms", "tc", "tc_subprograms"),
        await lab.load("packet-changers", "tc", "stores_bytes"),
      ];
      for (const [i, program] of tc.entries()) await lab.attach(program, "tc-ingress", { priority: i });
      const last = await loadTc(lab);
      await lab.attach(last, "tc-ingress", { priority: 99 });
      lab.send(3);
      assert.deepEqual(
        [...xdp, ...tc].map((program) => hits(program)),
        [3, 3, 3, 3, 3, 3, 3],
      );
      assert.equal(lab.hits(last), 3);
      // A member alone reads what it changed, and its loop runs as often as it says.
      assert.equal(lab.hits(xdp[2]!, "subprogram_hits", 1), 2450);
      assert.deepEqual(lab.findings(), []);
    });
  });

  test("a rebuild by another process works out of what is kept", async () => {
    using lab = new DispatcherLab();
    const one = await lab.load("globals", "xdp", "globals", { globals: { GLOBAL_u32: "efbeadde" } });
    await lab.attach(one, "xdp", { priority: 1 });
    lab.restart();
    const two = await loadXdp(lab);
    await lab.attach(two, "xdp", { priority: 2 });
    lab.restart();
    lab.send(2);
    assert.equal(lab.hits(one, "globals_seen", 1), 0xdeadbeef);
    assert.equal(lab.hits(two), 2);
  });
});
