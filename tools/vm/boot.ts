/** Boots a guest, watches it, and leaves nothing of it behind. */
import type { ChildProcess } from "node:child_process";
import type { Guest, Machine } from "./machine.ts";

/** Lines of the console that are kept for when the guest dies. */
const KEPT = 30;

/** How a guest ended. */
export interface Ended {
  /** Its last lines on the console. */
  readonly console: readonly string[];
  /** Whether it was stopped because it said nothing any more. */
  readonly hung: boolean;
}

/** Why a guest did not come to its job's end, with what it said last. */
export function lastWords({ hung, console: last }: Ended): string {
  const what = hung ? "said nothing for too long and was stopped" : "ended before its job did";
  return `the guest ${what}; its last words:\n${last.map((line) => `  ${line}`).join("\n")}`;
}

/** Ends a process and its children, wherever they are. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // All of it is gone already.
  }
}

/** What others may do with a guest that runs. */
export interface Handle {
  /** To be called whenever it told something otherwise than on its console. */
  readonly refresh: () => void;
  /** Pulls its plug. */
  readonly kill: () => void;
}

/** Boots a guest and resolves when it is off; it does not outlive this process. @param started is given its handle */
export async function boot(machine: Machine, guest: Guest, started: (handle: Handle) => void): Promise<Ended> {
  const running = await machine.start(guest);
  const child = running.machine;
  const stop = () => [child, ...running.servers].forEach(kill);
  process.once("exit", stop);
  let hung = false;
  const watchdog = setTimeout(() => {
    hung = true;
    stop();
  }, machine.patience);
  started({ refresh: () => void watchdog.refresh(), kill: stop });
  const lines: string[] = [];
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      watchdog.refresh();
      lines.push(...chunk.split(/[\r\n]+/).filter((line) => line.trim() !== ""));
      lines.splice(0, lines.length - KEPT);
    });
  }
  // A kernel's helpers outlive it when it is killed, and hold its pipes.
  child.on("exit", stop);
  try {
    await new Promise<void>((resolve, reject) => child.on("close", () => resolve()).on("error", reject));
    return { console: lines, hung };
  } finally {
    clearTimeout(watchdog);
    process.off("exit", stop);
    stop();
  }
}
