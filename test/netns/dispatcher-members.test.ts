/** What members may be and do. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { U32 } from "../../src/core/layout.ts";
import { attachTcx, attachTrace } from "../../src/dispatcher/manage.ts";
import type { MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { mapPin, programPin } from "../../src/dispatcher/paths.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { BpfMap } from "../../src/linux/bpf/map.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { kernelConfig } from "../../src/linux/features.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { hasJit, unlessMissing } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const loadXdp = (lab: DispatcherLab, name = "pass_count"): Promise<ProgramRecord> =>
  lab.load("xdp-members", "xdp", name);
const loadTc = (lab: DispatcherLab, name = "pipe_count"): Promise<ProgramRecord> => lab.load("tc-members", "tc", name);
const ETHERTYPE_IPV4 = 0x0800;

/** Lets the tail call of packet-changers jump to a program. */
function jumpTo(lab: DispatcherLab, caller: ProgramRecord, target: ProgramRecord): void {
  using program = openPin(join(lab.paths.pins, programPin(target.id)))!;
  using jumps = new BpfMap(openPin(join(lab.paths.pins, mapPin(caller.mapSet, "jumps")))!, U32, U32);
  jumps.set(0, program.number);
}

test("25: when a member in the middle of a TC chain is unloaded, those around it close up and go on", async () => {
  using lab = new DispatcherLab();
  const programs = [await loadTc(lab), await loadTc(lab), await loadTc(lab)];
  const links: MemberLink[] = [];
  for (const [i, program] of programs.entries())
    links.push(await lab.attach(program, "tc-ingress", { priority: i, metadata: { row: String(i) } }));
  // Twice in the chain: both places go with the program.
  await lab.attach(programs[1]!, "tc-ingress", { priority: 9 });
  await lab.unload(programs[1]!);
  const members = [...lab.dispatcher.state().links.values()] as MemberLink[];
  assert.deepEqual(
    members.map(({ id, details, metadata }) => [id, details.position, metadata["row"]]),
    [
      [links[0]!.id, 0, "0"],
      [links[2]!.id, 1, "2"],
    ],
  );
  await eventually(() => assert.equal(kernelProgram(programs[1]!.id), undefined));
  lab.send(3);
  assert.deepEqual([lab.hits(programs[0]!), lab.hits(programs[2]!)], [3, 3]);
  assert.deepEqual(lab.findings(), []);
});

test("38: neither TCX nor a trace point takes a program of another kind, nor does a chain take a probe", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, kernelConfig("CONFIG_BPF_EVENTS") === true, async () => {
    const [xdp, tc, probe] = [
      await loadXdp(lab),
      await loadTc(lab),
      await lab.load("probes", "tracepoint", "tp_count"),
    ];
    const refused = ({ id }: ProgramRecord, text: string) => ({
      code: "PROGRAM_KIND",
      message: new RegExp(`Program ${id} is a ${text}`),
    });
    for (const program of [xdp, tc, probe]) {
      const attach = { programId: program.id, side: "ingress" as const, device: "d0", netns: lab.ns.path, priority: 1 };
      await assert.rejects(
        attachTcx(lab.dispatcher, attach),
        refused(program, `${program.type} program; the tcx attach accepts tcx`),
      );
    }
    await assert.rejects(lab.attach(probe, "xdp"), refused(probe, "tracepoint program; the xdp attach accepts xdp"));
    await assert.rejects(
      lab.attach(probe, "tc-egress"),
      refused(probe, "tracepoint program; the tc attach accepts tc"),
    );
    const details = (): never => assert.fail("a program of another kind was taken");
    for (const program of [xdp, tc])
      await assert.rejects(
        attachTrace(lab.dispatcher, { programId: program.id, kind: "tracepoint", details }),
        refused(program, `${program.type} program; the tracepoint attach accepts tracepoint`),
      );
    assert.deepEqual([lab.dispatcher.state().links.size, lab.dispatcher.state().dispatchers.size], [0, 0]);
  });
});

test("68: a direction that is none is refused for TCX before the kernel is asked", async () => {
  using lab = new DispatcherLab();
  const program = await lab.load("tc-members", "tcx", "ok_count");
  const words = ["link", "attach", "tcx", String(program.id), "d0", "Ingress", "--netns", lab.ns.path, "-p", "1"];
  const { status, stderr } = lab.sluice(...words);
  assert.equal(status, 64);
  assert.match(stderr, /Invalid direction "Ingress": it must be ingress or egress/);
  assert.equal(lab.dispatcher.state().links.size, 0);
});

test("76: members that change packets in a chain read what is there after the change", async () => {
  using lab = new DispatcherLab();
  const moved = await lab.load("packet-changers", "xdp", "adjusts_head");
  const pulled = await lab.load("packet-changers", "tc", "pulls_data");
  await lab.attach(await loadXdp(lab), "xdp", { priority: 1 });
  await lab.attach(moved, "xdp", { priority: 2 });
  await lab.attach(await loadTc(lab), "tc-ingress", { priority: 1 });
  await lab.attach(pulled, "tc-ingress", { priority: 2 });
  lab.send(4);
  for (const program of [moved, pulled]) {
    const rows = [0, 1].map((row) => lab.hits(program, "change_hits", row));
    assert.deepEqual(rows, [4, ETHERTYPE_IPV4], program.name);
  }
});

test("76: what a member writes into a packet is there behind the chain", async () => {
  using lab = new DispatcherLab();
  const [marker, unmarked, behind] = [
    await lab.load("packet-changers", "tc", "stores_bytes"),
    await loadTc(lab),
    await loadTc(lab),
  ];
  const link = await lab.attach(marker, "tc-ingress", { priority: 1 });
  await lab.attach(unmarked, "tc-ingress", { priority: 2 });
  // The last byte of the sender's address lies three bytes before the IP header. A match ends the way; the rest is counted.
  lab.sh("tc filter add dev d0 ingress pref 60 protocol all u32 match u8 0x5a 0xff at -3 flowid 1:1");
  const { pins } = lab.paths;
  lab.sh(`tc filter add dev d0 ingress pref 70 bpf da pinned ${join(pins, programPin(behind.id))}`);
  lab.send(4);
  assert.deepEqual([lab.hits(unmarked), lab.hits(behind)], [4, 0]);
  await lab.detach(link);
  lab.send(3);
  assert.deepEqual([lab.hits(unmarked), lab.hits(behind)], [7, 3]);
});

test("76: a member's tail call runs its target, whose verdict is the member's; the chain goes on by it", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, hasJit, async () => {
    const [caller, passes, drops, last] = [
      await lab.load("packet-changers", "xdp", "tail_calls"),
      await loadXdp(lab),
      await loadXdp(lab, "drop_count"),
      await loadXdp(lab, "alpha"),
    ];
    await lab.attach(caller, "xdp", { priority: 1 });
    await lab.attach(last, "xdp", { priority: 2 });
    const counts = (): number[] => [
      lab.hits(caller, "change_hits"),
      ...[passes, drops, last].map((program) => lab.hits(program)),
    ];
    lab.send(1);
    assert.deepEqual(counts(), [1, 0, 0, 1], "nobody to jump to");
    jumpTo(lab, caller, passes);
    lab.send(1);
    assert.deepEqual(counts(), [2, 1, 0, 2]);
    jumpTo(lab, caller, drops);
    lab.send(1);
    assert.deepEqual(counts(), [3, 1, 1, 2]);
  });
});

test("76: ten members with functions, callbacks and 400 bytes of stack each run in one chain", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, hasJit, async () => {
    const xdp = await lab.load("subprograms", "xdp", "xdp_subprograms");
    const tc = await lab.load("subprograms", "tc", "tc_subprograms");
    for (let i = 0; i < 10; i += 1) {
      await lab.attach(xdp, "xdp");
      await lab.attach(tc, "tc-ingress");
    }
    lab.send(2);
    for (const program of [xdp, tc])
      assert.deepEqual(
        [0, 1].map((row) => lab.hits(program, "subprogram_hits", row)),
        [20, 2450],
        program.name,
      );
  });
});

test("78: one XDP program on two interfaces is detached from one, and goes on at the other", async () => {
  using lab = new DispatcherLab();
  const program = await loadXdp(lab);
  const links = [await lab.attach(program, "xdp"), await lab.attach(program, "xdp", { device: "e0" })];
  assert.notEqual(links[0]!.id, links[1]!.id);
  assert.deepEqual(
    links.map(({ programId }) => programId),
    [program.id, program.id],
  );
  lab.send(1, "d0");
  lab.send(2, "e0");
  await lab.detach(links[0]!);
  lab.send(4, "d0");
  lab.send(8, "e0");
  assert.equal(lab.hits(program), 11);
  assert.deepEqual([...lab.dispatcher.state().links.keys()], [links[1]!.id]);
});

test("75: where packets take several buffers a chain of such members alone runs in the driver", async () => {
  using lab = new DispatcherLab();
  lab.sh("ip link set d0 mtu 9000; ip link set d1 mtu 9000");
  const mode = (): string | undefined => / (xdp\w*) qdisc/.exec(lab.sh("ip link show d0"))?.[1];
  const frags = await lab.load("xdp-frags", "xdp", "frags_pass");
  const link = await lab.attach(frags, "xdp");
  assert.equal(mode(), "xdp");
  lab.send(1);
  const plain = await loadXdp(lab);
  const before = lab.record("xdp");
  await assert.rejects(lab.attach(plain, "xdp"), { code: "XDP_DRIVER", message: /driver of d0 .*ERANGE/ });
  assert.deepEqual(lab.record("xdp"), before);
  lab.send(1);
  assert.equal(lab.hits(frags), 2);
  await lab.detach(link);
  await lab.attach(plain, "xdp");
  assert.equal(mode(), "xdpgeneric");
  lab.send(1);
  assert.deepEqual([lab.hits(frags), lab.hits(plain)], [2, 1]);
  assert.deepEqual(lab.findings(), []);
});
