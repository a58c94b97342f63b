/** What others have on an interface is never touched. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { detachLinks } from "../../src/dispatcher/manage.ts";
import type { HookName, ProgramRecord } from "../../src/dispatcher/model.ts";
import { programPin } from "../../src/dispatcher/paths.ts";
import { createXdpLink, XDP_FLAGS } from "../../src/linux/bpf/link.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const SIDES = ["ingress", "egress"] as const;
const loadXdp = (lab: DispatcherLab, name = "pass_count"): Promise<ProgramRecord> =>
  lab.load("xdp-members", "xdp", name);
const loadTc = (lab: DispatcherLab): Promise<ProgramRecord> => lab.load("tc-members", "tc", "pipe_count");
const pinOf = (lab: DispatcherLab, { id }: ProgramRecord): string => join(lab.paths.pins, programPin(id));

/** Qdiscs and filters of d0, one a line, without ours. */
const others = (lab: DispatcherLab): string[] =>
  ["tc qdisc show dev d0", ...SIDES.map((side) => `tc filter show dev d0 ${side}`)]
    .flatMap((command) => lab.sh(command).split("\n"))
    .filter((line) => line.trim() !== "" && !line.includes("sluice_dispatcher"))
    // The head of the list of filters with our pref.
    .filter((line) => !/pref 50 bpf chain 0 *$/.test(line));

test("29: through TCX a dispatcher stands beside a foreign ingress qdisc", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  lab.sh("tc qdisc add dev d0 ingress");
  const before = others(lab);
  const program = await loadTc(lab);
  const link = await lab.attach(program, "tc-ingress", { tcHook: "tcx" });
  lab.send(2);
  assert.equal(lab.hits(program), 2);
  await lab.detach(link);
  assert.deepEqual(others(lab), before);
});

test("30: foreign qdiscs and filters on both sides stay through attach, rebuild, gc and detach", async () => {
  using lab = new DispatcherLab();
  const theirs = await loadTc(lab);
  lab.sh("tc qdisc add dev d0 root handle 7: prio; tc qdisc add dev d0 clsact");
  for (const side of SIDES)
    for (const pref of [10, 50, 90])
      lab.sh(`tc filter add dev d0 ${side} pref ${pref} handle 9 bpf da pinned ${pinOf(lab, theirs)}`);
  const before = others(lab);
  assert.equal(before.filter((line) => line.includes("handle 0x9")).length, 6);
  const ours = await loadTc(lab);
  const links = [];
  for (const hook of ["tc-ingress", "tc-egress"] as const) {
    links.push(await lab.attach(ours, hook), await lab.attach(ours, hook));
    assert.deepEqual(others(lab), before, hook);
  }
  assert.deepEqual(lab.findings(), []);
  await lab.dispatcher.heal();
  assert.deepEqual(others(lab), before, "gc");
  await lab.detach(links[0]!, links[2]!);
  assert.deepEqual(others(lab), before, "one of two members detached");
  await detachLinks(lab.dispatcher, [links[1]!.id, links[3]!.id], { reclaimClsact: true });
  assert.deepEqual(others(lab), before, "the last one detached");
});

test("30: a filter that took the handle of ours stays, and ours gets another", async () => {
  using lab = new DispatcherLab();
  const [ours, theirs] = [await loadTc(lab), await loadTc(lab)];
  const link = await lab.attach(ours, "tc-ingress");
  const { attachment } = lab.record("tc-ingress")!;
  assert.ok(attachment.via === "clsact" && typeof attachment.handle === "number");
  const at = `dev d0 ingress pref 50 handle ${attachment.handle} bpf`;
  lab.sh(`tc filter del ${at}; tc filter add ${at} da pinned ${pinOf(lab, theirs)}`);
  const foreign = others(lab);
  assert.match(lab.findings().join("\n"), /^tc-filter-exists: The tc-ingress dispatcher on d0 is not attached/m);
  await lab.dispatcher.heal();
  assert.deepEqual(lab.findings(), []);
  assert.deepEqual(others(lab), foreign);
  lab.send(2);
  assert.deepEqual([lab.hits(ours), lab.hits(theirs)], [2, 2]);
  await lab.detach(link);
  assert.deepEqual(others(lab), foreign);
});

test("31: clsact stays while the other side has a dispatcher, and goes with the last one, whoever asks", async () => {
  using lab = new DispatcherLab();
  const has = (): boolean => lab.sh("tc qdisc show dev d0").includes("clsact");
  const program = await loadTc(lab);
  const links = [await lab.attach(program, "tc-ingress"), await lab.attach(program, "tc-egress")];
  lab.restart();
  await detachLinks(lab.dispatcher, [links[0]!.id], { reclaimClsact: true });
  assert.equal(has(), true, "the other side uses it");
  lab.send(1, "d1");
  assert.equal(lab.hits(program), 1);
  await detachLinks(lab.dispatcher, [links[1]!.id], { reclaimClsact: true });
  assert.equal(has(), false);
  assert.equal(lab.dispatcher.state().clsact.size, 0);
});

test("66: a foreign XDP link in any mode stays; TC is attached beside it, XDP once it is gone", async () => {
  using lab = new DispatcherLab();
  const [theirs, ours, tc] = [await loadXdp(lab, "alpha"), await loadXdp(lab), await loadTc(lab)];
  const ifindex = lab.ifindex("d0");
  using program = openPin(pinOf(lab, theirs))!;
  for (const [i, flags] of [XDP_FLAGS.SKB, XDP_FLAGS.DRV].entries()) {
    using _link = lab.ns.run(() => createXdpLink(program, ifindex, flags));
    await assert.rejects(lab.attach(ours, "xdp"), { code: "FOREIGN_XDP", message: /alpha \(id/ });
    await lab.attach(tc, "tc-ingress");
    lab.send(1);
    assert.deepEqual([lab.hits(theirs), lab.hits(ours)], [i + 1, 0]);
  }
  assert.equal(lab.hits(tc), 3);
  await lab.attach(ours, "xdp");
  lab.send(1);
  assert.deepEqual([lab.hits(theirs), lab.hits(ours)], [2, 1]);
});

test("66: nobody takes a hook from a dispatcher by netlink, nor does a dispatcher lose it to one in another mode", async () => {
  using lab = new DispatcherLab();
  const [ours, theirs] = [await loadXdp(lab), await loadXdp(lab, "alpha")];
  await lab.attach(ours, "xdp");
  for (const mode of ["xdp", "xdpgeneric"])
    assert.throws(() => lab.sh(`ip link set dev d0 ${mode} pinned ${pinOf(lab, theirs)}`), /XDP.* active|active .*XDP/);
  lab.send(2);
  assert.deepEqual([lab.hits(ours), lab.hits(theirs)], [2, 0]);
  assert.deepEqual(lab.findings(), []);
});

test("67: on an interface that is not there no hook leaves a row, a qdisc or a pin", async () => {
  using lab = new DispatcherLab();
  const programs: Readonly<Record<HookName, ProgramRecord>> = {
    xdp: await loadXdp(lab),
    "tc-ingress": await loadTc(lab),
    "tc-egress": await loadTc(lab),
  };
  const before = [others(lab), lab.dispatcher.snapshot().pins];
  for (const [hook, program] of Object.entries(programs))
    await assert.rejects(lab.attach(program, hook as HookName, { device: "nope0" }), {
      code: "DEVICE_MISSING",
      message: /"nope0" does not exist/,
    });
  assert.deepEqual([others(lab), lab.dispatcher.snapshot().pins], before);
  assert.deepEqual([lab.dispatcher.state().dispatchers.size, lab.dispatcher.state().links.size], [0, 0]);
});
