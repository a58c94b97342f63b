/** Trace points. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { getPriority } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { TestContext } from "node:test";
import type { SluiceError } from "../../src/core/errors.ts";
import { probeEngine } from "../../src/dispatcher/engines/probe.ts";
import { attachTrace } from "../../src/dispatcher/manage.ts";
import type { LinkRecord, ProgramRecord, TraceDetails } from "../../src/dispatcher/model.ts";
import { programPin } from "../../src/dispatcher/paths.ts";
import { linkStatus } from "../../src/dispatcher/view.ts";
import { linkIds } from "../../src/linux/bpf/ids.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { testRunBare } from "../../src/linux/bpf/testrun.ts";
import { kernelConfig } from "../../src/linux/features.ts";
import { functionSymbols } from "../../src/linux/trace/elf-symbols-codec.ts";
import { findLibrary } from "../../src/linux/trace/library.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { unlessMissing } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { callingElf } from "../helpers/tiny-elf.ts";

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

const GETPRIORITY = { kind: "tracepoint" as const, group: "syscalls", name: "sys_enter_getpriority" };

/** Whether there are tracepoints of system calls; skips otherwise. */
function tracesCalls(t: TestContext): boolean {
  const absent = kernelConfig("CONFIG_FTRACE_SYSCALLS") === false;
  if (absent) t.skip("the kernel was built without CONFIG_FTRACE_SYSCALLS");
  return !absent;
}

test("60: a tracepoint counts exactly, and a wrong name gets the right one proposed", async (t) => {
  if (!tracesCalls(t)) return;
  using lab = new DispatcherLab();
  const program = await lab.load("probes", "tracepoint", "tp_count", { globals: ONLY_ME() });
  await assert.rejects(attach(lab, program, { ...GETPRIORITY, name: "sys_enter_getpriorty" }), {
    code: "TRACE_TARGET",
    message: /not found; did you mean: syscalls\/sys_enter_getpriority\?/,
  });
  assert.equal(lab.dispatcher.state().links.size, 0);
  const link = await attach(lab, program, GETPRIORITY);
  for (let i = 0; i < 5; i += 1) getPriority();
  assert.equal(lab.hits(program, "probe_hits", 0), 5);
  assert.equal(linkStatus(lab.dispatcher, link).attached, true);
  await lab.detach(link.id);
  getPriority();
  assert.equal(lab.hits(program, "probe_hits", 0), 5);
  assert.deepEqual(lab.findings(), []);
});

test("a link that the kernel ends only with its last holder is gone when detach returns", async (t) => {
  if (!tracesCalls(t)) return;
  using lab = new DispatcherLab();
  const program = await lab.load("probes", "tracepoint", "tp_count", { globals: ONLY_ME() });
  const { id } = await attach(lab, program, GETPRIORITY);
  const kernelLinkId = lab.dispatcher.state().links.get(id)!.kernelLinkId!;
  assert.ok(linkIds().includes(kernelLinkId));
  await lab.detach(id);
  assert.equal(linkIds().includes(kernelLinkId), false);
});

test("61: a kprobe beyond its function is refused without a row, and then attaches without the offset", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, kernelConfig("CONFIG_KPROBE_EVENTS") === true, async () => {
    const program = await lab.load("probes", "kprobe", "kprobe_count", { globals: ONLY_ME() });
    const place = { kind: "kprobe" as const, function: "do_sys_openat2", offset: 0, returns: false };
    await assert.rejects(attach(lab, program, { ...place, offset: 0x7fff_0000 }), (error: SluiceError) => {
      if (error.code === "FEATURE_MISSING") throw error;
      return error.code === "TRACE_TARGET";
    });
    assert.equal(lab.dispatcher.state().links.size, 0);
    const link = await attach(lab, program, place);
    assert.equal(linkStatus(lab.dispatcher, link).attached, true);
    const before = lab.hits(program, "probe_hits", 1);
    for (let i = 0; i < 3; i += 1) closeSync(openSync(import.meta.filename, "r"));
    // Other threads of this process open files too.
    assert.ok(lab.hits(program, "probe_hits", 1) >= before + 3);
  });
});

const hasUprobes = kernelConfig("CONFIG_UPROBE_EVENTS") === true;

test("62: a uprobe counts by function, by library name, by offset alone, and only in its process", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, hasUprobes, async () => {
    const libc = findLibrary("libc")!;
    assert.match(libc, /libc\.so/);
    const load = (): Promise<ProgramRecord> => lab.load("probes", "uprobe", "uprobe_count");
    const hits = (program: ProgramRecord): number => lab.hits(program, "probe_hits", 3);
    const [byName, byPath, byOffset, inRoot, elsewhere] = [
      await load(),
      await load(),
      await load(),
      await load(),
      await load(),
    ];
    const returns = await lab.load("probes", "uretprobe", "uretprobe_count");
    const place = { kind: "uprobe" as const, target: "libc", function: "getpriority", offset: 0, returns: false };
    const { offset } = functionSymbols(readFileSync(libc)).find(({ name }) => name === "getpriority")!;
    const { pid } = process;
    await attach(lab, byName, { ...place, pid });
    await attach(lab, byPath, { ...place, target: libc, pid });
    await attach(lab, byOffset, { kind: "uprobe", target: libc, offset, returns: false, pid });
    // In the root directory of a process, as of a container: here it is our own.
    await attach(lab, inRoot, { ...place, containerPid: pid, pid });
    await attach(lab, returns, { ...place, returns: true, pid });
    await attach(lab, elsewhere, { ...place, pid: 1 });
    for (let i = 0; i < 3; i += 1) getPriority();
    assert.deepEqual([byName, byPath, byOffset, inRoot, elsewhere].map(hits), [3, 3, 3, 3, 0]);
    assert.equal(lab.hits(returns, "probe_hits", 4), 3);
  });
});

test("62: a uprobe without a process counts in all, by a name with dots as Go has them", async (t) => {
  if (process.arch !== "x64") return t.skip("the program of this test is for x86-64");
  using lab = new DispatcherLab();
  await unlessMissing(t, hasUprobes, async () => {
    const program = await lab.load("probes", "uprobe", "uprobe_count");
    const target = join(lab.root, "worker");
    writeFileSync(target, callingElf("main.(*Worker).Run", 7).file, { mode: 0o755 });
    const place = { kind: "uprobe" as const, target, function: "main.(*Worker).Run", offset: 0, returns: false };
    const link = await attach(lab, program, place);
    const run = (): void => assert.equal(spawnSync(target).status, 0);
    run();
    assert.equal(lab.hits(program, "probe_hits", 3), 7);
    await lab.detach(link.id);
    run();
    assert.equal(lab.hits(program, "probe_hits", 3), 7);
  });
});

test("62: a uprobe at what is not there is refused without a row", async (t) => {
  using lab = new DispatcherLab();
  await unlessMissing(t, hasUprobes, async () => {
    const program = await lab.load("probes", "uprobe", "uprobe_count");
    const place = { kind: "uprobe" as const, target: "libc", function: "getpriority", offset: 0, returns: false };
    for (const [wrong, message] of [
      [{ function: "getpriorty" }, /Did you mean getpriority/],
      [{ target: "libnope" }, /no such file or library/],
      [{ offset: 1_000_000 }, /offset 1000000 is beyond its \d+ bytes/],
    ] as const)
      await assert.rejects(attach(lab, program, { ...place, ...wrong }), { code: "TRACE_TARGET", message });
    assert.equal(lab.dispatcher.state().links.size, 0);
    assert.deepEqual(lab.findings(), []);
  });
});

test("fentry and fexit count, or the kernel's want of them is told", async (t) => {
  using lab = new DispatcherLab();
  // A kernel that takes extensions takes these too, where it traces functions at all.
  const must = probeEngine().engine === "freplace" && kernelConfig("CONFIG_FUNCTION_TRACER") === true;
  await unlessMissing(t, must, async () => {
    for (const [type, row] of [
      ["fentry", 5],
      ["fexit", 6],
    ] as const) {
      const name = `${type}_count`;
      const target = "bpf_fentry_test1";
      const program = await lab.load("probes", type, name, { programs: [{ type, name, attachFunction: target }] });
      const link = await attach(lab, program, { kind: type, function: target });
      assert.equal(linkStatus(lab.dispatcher, link).attached, true);
      using fd = openPin(join(lab.paths.pins, programPin(program.id)))!;
      // The kernel calls its test functions when such a program is run for a test.
      testRunBare(fd, Buffer.alloc(14), 1);
      assert.equal(lab.hits(program, "probe_hits", row), 1);
    }
  });
});
