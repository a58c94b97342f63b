/**
 * Finds what tests leave behind. {@link snapshot} and {@link leaksSince} look at the machine around the whole netns tier;
 * {@link checkFds} looks at the descriptors of one test file's process.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { after, before } from "node:test";
import { setTimeout } from "node:timers/promises";
import { bpfObjects } from "./bpf-objects.ts";

/** Everything of ours the machine holds, one description each, `network namespace sluice-a`. */
export type Snapshot = ReadonlySet<string>;

/**
 * The kernel frees BPF objects and namespaces, and reaps processes, some time after their last user is gone, ms; where each
 * instruction is emulated, it takes many times as long.
 */
const GRACE = 30_000;

/** Processes started by this run carry its number; the runner itself does not. */
const MARK = "SLUICE_TEST_RUN";

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not there, or gone meanwhile: nothing is in it.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, "latin1");
  } catch {
    return "";
  }
}

function pins(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => `BPF pin ${folder}/${name}`);
  } catch {
    return [];
  }
}

function processes(run: string): string[] {
  const ours = list("/proc").filter((pid) => /^\d+$/.test(pid) && read(`/proc/${pid}/environ`).includes(run));
  return ours.map((pid) => `process ${pid} (${read(`/proc/${pid}/cmdline`).replaceAll("\0", " ").trim()})`);
}

function look(run: string): Snapshot {
  return new Set([
    ...list("/run/netns").map((name) => `network namespace ${name}`),
    ...list("/sys/class/net")
      .filter((name) => !/^ifb[01]$/.test(name)) // The module makes these two when it is loaded.
      .map((name) => `link ${name}`),
    ...read("/proc/self/mounts")
      .split("\n")
      .map((line) => line.split(" ", 3))
      // The first `ip netns add` since boot mounts /run/netns on itself, for good.
      .filter(([, target]) => target !== undefined && target !== "/run/netns")
      .map(([, target, type]) => `mount ${target} (${type})`),
    ...pins("/sys/fs/bpf"),
    ...bpfObjects("sluice_"),
    ...processes(run),
  ]);
}

/** Looks at the machine; call it before the first test. Processes started from now on are known as this run's. */
export function snapshot(): Snapshot {
  process.env[MARK] = String(process.pid);
  return look(`${MARK}=${process.pid}\0`);
}

/** What is there now and was not in the snapshot; waits a little for the kernel to clear up. */
export async function leaksSince(earlier: Snapshot): Promise<string[]> {
  const run = `${MARK}=${process.pid}\0`;
  for (const deadline = performance.now() + GRACE; ;) {
    const leaks = [...look(run).difference(earlier)];
    if (leaks.length === 0 || performance.now() > deadline) return leaks;
    await setTimeout(100);
  }
}

/**
 * Node's own descriptors, which it opens when it first needs them and keeps: event loops, signal and worker wake-ups,
 * random numbers, and its own program files.
 */
const NODES_OWN = /^(anon_inode:\[(eventpoll|eventfd|io_uring|timerfd)\]|pipe:|\/dev\/(u?random|null)$)/;

function descriptors(): Map<string, string> {
  const found = new Map<string, string>();
  for (const fd of list("/proc/self/fd")) {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      if (!NODES_OWN.test(target) && !target.endsWith("/fd")) found.set(`${fd} -> ${target}`, target);
    } catch {
      // The descriptor by which the folder was read.
    }
  }
  return found;
}

/** Call at the top of a test file: fails it when it ends with more files, sockets or namespaces open than it began with. */
export function checkFds(): void {
  let earlier = new Set<string>();
  before(() => {
    earlier = new Set(descriptors().keys());
  });
  after(async () => {
    for (const deadline = performance.now() + GRACE; ;) {
      const left = new Set(descriptors().keys()).difference(earlier);
      if (left.size === 0) return;
      if (performance.now() > deadline) assert.deepEqual([...left], [], "the file's tests left descriptors open");
      await setTimeout(50);
    }
  });
}
