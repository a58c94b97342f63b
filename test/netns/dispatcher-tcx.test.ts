/** The kernel's own chains of TC programs. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { attachTcx } from "../../src/dispatcher/manage.ts";
import { isTcx, type LinkRecord, type ProgramRecord } from "../../src/dispatcher/model.ts";
import { linkPin, programPin } from "../../src/dispatcher/paths.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { createTcxLink, detachLink } from "../../src/linux/bpf/link.ts";
import { queryTcx } from "../../src/linux/bpf/tcx.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
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
