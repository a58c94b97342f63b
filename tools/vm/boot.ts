/** One guest: user-mode Linux on the host's own file system, read only. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { allowedProcessors } from "./processors.ts";

/** A guest's memory in MiB: enough for all tests, too little for the one that wants too much. */
export const MEMORY = 512;

/** A guest that says nothing for this long hangs; the runner in it gives a hanging file up earlier. */
const SILENCE = 330_000;

/** Lines of the console that are kept for when the guest dies. */
const KEPT = 30;

/** What is booted. */
export interface Guest {
  /** Its number, from 0. */
  readonly number: number;
  /** Folder of the unpacked kernel package. */
  readonly kernel: string;
  /** The project's folder. */
  readonly root: string;
  /** The folder that host and guest share, with a script `start` in it. */
  readonly shared: string;
}

/** How a guest ended. */
export interface Ended {
  /** Its last lines on the console. */
  readonly console: readonly string[];
  /** Whether it was stopped because it said nothing any more. */
  readonly hung: boolean;
}

function start({ number, kernel, root, shared }: Guest, processors: readonly number[]): ChildProcess {
  const boot = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", "ro", `init="${join(root, "tools/vm/init.sh")}"`];
  // What the kernel does not know becomes a variable of init's.
  const variables = [`shared=${shared}`, `guest=${number}`];
  // Only what ends a kernel is printed; the rest of the console is the runner's.
  const console = ["con=null", "con0=fd:0,fd:1", "loglevel=1"];
  // A guest and its processes take turns by ptrace: on one processor without waking another, which is several times faster.
  const pinned = ["-c", String(processors[number % processors.length]), join(kernel, "usr/bin/linux.uml")];
  return spawn("taskset", [...pinned, `mem=${MEMORY}M`, ...boot, ...variables, ...console], {
    // A process group of its own, so that all of it can be ended at once.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // It keeps its memory in TMPDIR and its management socket below HOME.
    env: { PATH: process.env["PATH"], HOME: shared, TMPDIR: shared },
  });
}

/**
 * Boots a guest and resolves when it is off; it does not outlive this process.
 *
 * @param alive is given a function to call whenever the guest told something otherwise than on its console
 */
export async function boot(guest: Guest, alive: (refresh: () => void) => void): Promise<Ended> {
  const child = start(guest, allowedProcessors());
  const stop = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // All of it is gone already.
    }
  };
  process.once("exit", stop);
  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    stop();
  }, SILENCE);
  alive(() => void watchdog.refresh());
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      watchdog.refresh();
      lines.push(...chunk.split(/[\r\n]+/).filter((line) => line.trim() !== ""));
      lines.splice(0, lines.length - KEPT);
    });
  }
  // The kernel's helpers outlive it when it is killed, and hold its pipes.
  child.on("exit", stop);
  try {
    await new Promise<void>((resolve, reject) => child.on("close", () => resolve()).on("error", reject));
    return { console: lines, hung };
  } finally {
    clearTimeout(watchdog);
    process.off("exit", stop);
  }
}
