/** Boots a guest, watches it, and leaves nothing of it behind. */
import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { atExit } from "./at-exit.ts";
import type { Guest, Machine } from "./machine.ts";

/** Lines of the console that are kept for when the guest dies: a kernel's own account of its end is of some 70. */
const KEPT = 100;

/** How a guest ended. */
export interface Ended {
  /** Its last lines on the console. */
  readonly console: readonly string[];
  /** What was done to it before its end, if anything was. */
  readonly stopped?: string;
}

/** Why a guest did not come to its job's end, with what it said last. */
export const lastWords = ({ stopped, console: last }: Ended): string =>
  `the guest ${stopped ?? "ended before its job did"}; its last words:\n${last.map((line) => `  ${line}`).join("\n")}`;

/** Whether its kernel ended by a fault of its own. */
export const panicked = ({ console: last }: Ended): boolean => last.some((line) => line.includes("Kernel panic"));

/** Ends a process group, wherever its members are. */
export function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  try {
    // Of a leader that ended long ago the number may be somebody else's; its group's members end with its pipes.
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, "SIGKILL");
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
  const { machine: child, servers, leftovers } = await machine.start(guest);
  const kill = () => [child, ...servers].forEach(killGroup);
  using _ended = atExit(kill);
  let stopped: string | undefined;
  const stop = (why: string): void => {
    stopped ??= why;
    kill();
  };
  const watchdog = setTimeout(() => stop("said nothing for too long and was stopped"), machine.patience);
  const refresh = () => void watchdog.refresh();
  const lines: string[] = [];
  const listen = (source: ChildProcess): void => {
    for (const stream of [source.stdout, source.stderr]) {
      // A console gives a few letters at a time.
      let begun = "";
      stream?.setEncoding("utf8").on("data", (chunk: string) => {
        refresh();
        const whole = (begun + chunk).split(/[\r\n]+/);
        begun = whole.pop() ?? "";
        lines.push(...whole.filter((line) => line.trim() !== ""));
        lines.splice(0, lines.length - KEPT);
      });
      stream?.on("end", () => lines.push(...(begun.trim() === "" ? [] : [begun])));
    }
  };
  [child, ...servers].forEach(listen);
  // A kernel's helpers outlive it when it is killed, and hold its pipes; its servers end with it, and it with them.
  const leader = child.pid;
  child.on("exit", () => {
    kill();
    try {
      process.kill(-leader!, "SIGKILL");
    } catch {
      // It left nobody.
    }
  });
  for (const server of servers) server.on("exit", () => stop("lost what serves its files"));
  started({ refresh, kill });
  try {
    await new Promise<void>((resolve, reject) => child.on("close", () => resolve()).on("error", reject));
    return { console: lines, ...(stopped !== undefined && { stopped }) };
  } finally {
    clearTimeout(watchdog);
    kill();
    for (const path of leftovers) rmSync(path, { force: true });
  }
}
