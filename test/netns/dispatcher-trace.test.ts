/** Trace points. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { getPriority } from "node:os";
import { test } from "node:test";
import type { TestContext } from "node:test";
import { SluiceError } from "../../src/core/errors.ts";
import { attachTrace } from "../../src/dispatcher/manage.ts";
import type { LinkRecord, ProgramRecord, TraceDetails } from "../../src/dispatcher/model.ts";
import { linkStatus } from "../../src/dispatcher/view.ts";
import { findLibrary } from "../../src/linux/trace/library.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const ONLY_ME = (): Record<string, string> => {
  const pid = Buffer.alloc(4);
  pid.writeUInt32LE(process.pid);
  return { only_pid: pid.toString("hex") };
};

async function attach(lab: DispatcherLab, program: ProgramRecord, details: TraceDetails): Promise<LinkRecord> {
  const wanted = { programId: program.id, kind: details.kind, details: () => details };
  return (await attachTrace(lab.dispatcher, wanted)).items[0]!;
}

/** Skips where the kernel lacks it, by the product's own error, with its reason. */
async function unless(t: TestContext, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== "FEATURE_MISSING") throw error;
    t.skip(error.problems[0]!.message);
  }
}

test("60: a tracepoint counts exactly, and a wrong name gets the right one proposed", async (t) => {
  using lab = new DispatcherLab();
  await unless(t, async () => {
    const program = await lab.load("probes", "tracepoint", "tp_count", { globals: ONLY_ME() });
    const wrong = { kind: "tracepoint" as const, group: "syscalls", name: "sys_enter_getpriorty" };
    await assert.rejects(attach(lab, program, wrong), {
      code: "TRACE_TARGET",
      message: /did you mean: syscalls\/sys_enter_getpriority\?/,
    });
    assert.equal(lab.dispatcher.state().links.size, 0);
    const link = await attach(lab, program, { ...wrong, name: "sys_enter_getpriority" });
    for (let i = 0; i < 5; i += 1) getPriority();
    assert.equal(lab.hits(program, "probe_hits", 0), 5);
    assert.equal(linkStatus(lab.dispatcher, link).attached, true);
    await lab.detach(link.id);
    getPriority();
    assert.equal(lab.hits(program, "probe_hits", 0), 5);
    assert.deepEqual(lab.findings(), []);
  });
});

test("61: a kprobe beyond its function is refused without a row, and then attaches without the offset", async (t) => {
  using lab = new DispatcherLab();
  await unless(t, async () => {
    const program = await lab.load("probes", "kprobe", "kprobe_count", { globals: ONLY_ME() });
    const place = { kind: "kprobe" as const, function: "do_sys_openat2", offset: 0, returns: false };
    await assert.rejects(attach(lab, program, { ...place, offset: 0x7fff_0000 }), (error: SluiceError) => {
      if (error.code === "FEATURE_MISSING") throw error;
      return error.code === "TRACE_TARGET";
    });
    assert.equal(lab.dispatcher.state().links.size, 0);
    const link = await attach(lab, program, place);
    assert.equal(linkStatus(lab.dispatcher, link).attached, true);
    assert.ok(lab.hits(program, "probe_hits", 1) >= 0);
  });
});

test("62: a uprobe counts by function, by library name, by offset alone, and only in its process", async (t) => {
  using lab = new DispatcherLab();
  await unless(t, async () => {
    const libc = findLibrary("libc")!;
    assert.match(libc, /libc\.so/);
    const load = (): Promise<ProgramRecord> => lab.load("probes", "uprobe", "uprobe_count");
    const hits = (program: ProgramRecord): number => lab.hits(program, "probe_hits", 3);
    const place = { kind: "uprobe" as const, target: "libc", function: "getpriority", offset: 0, returns: false };
    const [byName, byPath, elsewhere] = [await load(), await load(), await load()];
    await attach(lab, byName, { ...place, pid: process.pid });
    await attach(lab, byPath, { ...place, target: libc, pid: process.pid });
    await attach(lab, elsewhere, { ...place, pid: 1 });
    for (let i = 0; i < 3; i += 1) getPriority();
    assert.deepEqual([hits(byName), hits(byPath), hits(elsewhere)], [3, 3, 0]);
    await assert.rejects(attach(lab, byName, { ...place, function: "getpriorty" }), {
      code: "TRACE_TARGET",
      message: /Did you mean getpriority/,
    });
    await assert.rejects(attach(lab, byName, { ...place, target: "libnope" }), { code: "TRACE_TARGET" });
  });
});

test("fentry and fexit count, or the kernel's want of them is told", async (t) => {
  using lab = new DispatcherLab();
  await unless(t, async () => {
    const program = await lab.load("probes", "fentry", "fentry_count", {
      programs: [{ type: "fentry", name: "fentry_count", attachFunction: "bpf_fentry_test1" }],
    });
    const link = await attach(lab, program, { kind: "fentry", function: "bpf_fentry_test1" });
    await eventually(() => assert.equal(linkStatus(lab.dispatcher, link).attached, true));
  });
});
