/** The kernel's own chains of TC programs. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { attachTcx } from "../../src/dispatcher/manage.ts";
import { isTcx, type LinkRecord, type ProgramRecord } from "../../src/dispatcher/model.ts";
import { hookPin, linkPin, programPin, revisionPin } from "../../src/dispatcher/paths.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { createTcxLink, detachLink, updateLink } from "../../src/linux/bpf/link.ts";
import type { Fd } from "../../src/linux/fd.ts";
import { queryTcx } from "../../src/linux/bpf/tcx.ts";
import { tcxPosition } from "../../src/dispatcher/plan/attach.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

/** Returns TC_ACT_UNSPEC (TCX_NEXT), so that the chain goes on. */
const load = (lab: DispatcherLab, name = "ok_count"): Promise<ProgramRecord> =>
  lab.load("tc-members", "tcx", name, { globals: { verdict: "ffffffff" } });

async function attach(lab: DispatcherLab, program: ProgramRecord, priority: number): Promise<LinkRecord> {
  const attach = { programId: program.id, side: "ingress" as const, device: "d0", netns: lab.ns.path, priority };
  return (await attachTcx(lab.dispatcher, attach)).items[0]!;
}

const chain = (lab: DispatcherLab): number[] => {
  const ifindex = lab.ifindex("d0");
  return lab.ns.run(() => queryTcx(ifindex, "ingress")).map(({ programId }) => programId);
};

test("34: a TCX program has a pinned link, and needs neither dispatcher nor qdisc", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const program = await load(lab);
  const link = await attach(lab, program, 50);
  assert.ok(isTcx(link));
  assert.equal(kernelProgram(program.id)!.type, "sched_cls");
  assert.ok(existsSync(join(lab.paths.pins, linkPin(link.id))));
  assert.equal(lab.dispatcher.state().dispatchers.size, 0);
  assert.doesNotMatch(lab.sh("tc qdisc show dev d0"), /clsact/);
  lab.send(3);
  assert.equal(lab.hits(program, "tc_hits"), 3);
  await lab.detach(link.id);
  assert.deepEqual(chain(lab), []);
});

test("35: the kernel's order is that of the priorities, older first among equals", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const programs = [await load(lab), await load(lab), await load(lab), await load(lab)];
  for (const [i, priority] of [50, 10, 90, 50].entries()) await attach(lab, programs[i]!, priority);
  const [p50, p10, p90, p50new] = programs.map(({ id }) => id);
  assert.deepEqual(chain(lab), [p10, p50, p50new, p90]);
  const state = lab.dispatcher.state();
  const positions = [...state.links.values()].filter((link) => isTcx(link)).map((link) => tcxPosition(state, link));
  assert.deepEqual(positions, [1, 0, 3, 2]);
  lab.send(1);
  assert.deepEqual(
    programs.map((program) => lab.hits(program, "tc_hits")),
    [1, 1, 1, 1],
  );
});

test("36: the same program twice on one hook is refused, with the link that it has", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const program = await load(lab);
  const link = await attach(lab, program, 50);
  await assert.rejects(attach(lab, program, 60), { code: "TCX_DUPLICATE", message: new RegExp(`as link ${link.id}`) });
  lab.send(2);
  assert.equal(lab.hits(program, "tc_hits"), 2);
});

test("37: a neighbour that was detached behind our back is no anchor", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const [gone, late] = [await load(lab), await load(lab)];
  const link = await attach(lab, gone, 50);
  {
    using fd = openPin(join(lab.paths.pins, linkPin(link.id)))!;
    detachLink(fd);
  }
  await attach(lab, late, 10);
  assert.deepEqual(chain(lab), [late.id]);
});

test("a foreign program in the chain stays where it is", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const [theirs, ours] = [await load(lab), await load(lab)];
  const ifindex = lab.ifindex("d0");
  using program = openPin(join(lab.paths.pins, programPin(theirs.id)))!;
  using _link = lab.ns.run(() => createTcxLink(program, ifindex, "ingress", { kind: "tail" }));
  const link = await attach(lab, ours, 1);
  assert.deepEqual(chain(lab), [ours.id, theirs.id]);
  await lab.detach(link.id);
  assert.deepEqual(chain(lab), [theirs.id]);
});

test("a dispatcher through TCX swaps in one link, before the filters on clsact", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const programs = [await lab.load("tc-members", "tc", "pipe_count"), await lab.load("tc-members", "tc", "pipe_count")];
  const first = await lab.attach(programs[0]!, "tc-ingress", { tcHook: "tcx" });
  const before = lab.record("tc-ingress")!.attachment;
  await lab.attach(programs[1]!, "tc-ingress");
  assert.deepEqual(lab.record("tc-ingress")!.attachment, before);
  lab.send(2);
  assert.deepEqual(
    programs.map((program) => lab.hits(program)),
    [2, 2],
  );
  assert.deepEqual(lab.findings(), []);
  await lab.detach(first, [...lab.dispatcher.state().links.keys()].at(-1)!);
  assert.deepEqual(chain(lab), []);
});

test("36: the same program may be on the other side, and on the side that it left", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const program = await load(lab);
  const link = await attach(lab, program, 50);
  const out = { programId: program.id, side: "egress" as const, device: "d0", netns: lab.ns.path, priority: 50 };
  await attachTcx(lab.dispatcher, out);
  await lab.detach(link.id);
  lab.send(1, "d0");
  lab.send(2, "d1");
  assert.equal(lab.hits(program, "tc_hits"), 2);
  await attach(lab, program, 50);
  assert.deepEqual(chain(lab), [program.id]);
});

test("37: of a neighbour whose pin was removed nothing is left, and the next ones keep their order", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const [first, gone, late] = [await load(lab), await load(lab), await load(lab)];
  await attach(lab, first, 10);
  const link = await attach(lab, gone, 50);
  rmSync(join(lab.paths.pins, linkPin(link.id)));
  await eventually(() => assert.deepEqual(chain(lab), [first.id]));
  assert.match(lab.findings().join("\n"), /^link-in-kernel: /m);
  await attach(lab, late, 40);
  assert.deepEqual(chain(lab), [first.id, late.id]);
  assert.deepEqual(lab.findings(), []);
});

test("a dispatcher through TCX runs its members in order, before what is on clsact, which a verdict keeps from running", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const [piped, ends, behind] = [
    await lab.load("tc-members", "tc", "pipe_count"),
    await lab.load("tc-members", "tc", "ok_count"),
    await lab.load("tc-members", "tc", "pipe_count"),
  ];
  const path = join(lab.paths.pins, programPin(behind.id));
  lab.sh(`tc qdisc add dev d0 clsact; tc filter add dev d0 ingress bpf da pinned ${path}`);
  await lab.attach(piped, "tc-ingress", { priority: 20, tcHook: "tcx" });
  const counts = (): number[] => [piped, ends, behind].map((program) => lab.hits(program));
  lab.send(1);
  assert.deepEqual(counts(), [1, 0, 1]);
  const link = await lab.attach(ends, "tc-ingress", { priority: 10 });
  assert.deepEqual(lab.order("tc-ingress"), ["ok_count", "pipe_count"]);
  lab.send(1);
  assert.deepEqual(counts(), [1, 1, 1], "ok ends both the chain and the hook");
  await lab.detach(link);
  lab.send(1);
  assert.deepEqual(counts(), [2, 1, 2]);
});

test("the doctor tells when a dispatcher's TCX link is gone or runs another program, and gc mends it", async (t) => {
  if (!requireTcx(t)) return;
  using lab = new DispatcherLab();
  const program = await lab.load("tc-members", "tc", "pipe_count");
  await lab.attach(program, "tc-ingress", { tcHook: "tcx" });
  const pinOf = (path: string): Fd => openPin(join(lab.paths.pins, path))!;
  const record = lab.record("tc-ingress")!;
  {
    using link = pinOf(hookPin(record.key));
    using ours = pinOf(revisionPin(record.key, record.revision));
    using theirs = pinOf(programPin(program.id));
    updateLink(link, theirs, ours);
  }
  assert.match(lab.findings().join("\n"), /^dispatcher-live-program: The tc-ingress dispatcher on d0 runs program/m);
  await lab.dispatcher.heal();
  assert.deepEqual([lab.findings(), chain(lab)], [[], [record.programId]]);
  rmSync(join(lab.paths.pins, hookPin(record.key)));
  await eventually(() => assert.deepEqual(chain(lab), []));
  assert.match(lab.findings().join("\n"), /^dispatcher-link-in-kernel: /m);
  await lab.dispatcher.heal();
  assert.deepEqual(lab.findings(), []);
  lab.send(2);
  assert.equal(lab.hits(program), 2);
});
