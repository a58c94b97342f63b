/** What a machine is that guests are booted on, and what it is told of a guest. */
import type { ChildProcess } from "node:child_process";

/** What is booted. */
export interface Guest {
  /** Its number, from 0. */
  readonly number: number;
  /** The project's folder. */
  readonly root: string;
  /** The folder that host and guest share, with a script `start` in it. */
  readonly shared: string;
}

/** A guest that runs. */
export interface Running {
  /** Its console is stdout and stderr; it is off when this has ended. */
  readonly machine: ChildProcess;
  /** What serves it and is of no use without it. Each is the leader of a process group, as the machine is. */
  readonly servers: readonly ChildProcess[];
  /** Files that they leave, to be removed when all have ended. */
  readonly leftovers: readonly string[];
}

/** A kernel, and what boots it. */
export interface Machine {
  /** `user-mode`, after the kernel's release in the matrix. */
  readonly title: string;
  /** What it is called when several run at a time, `6.1`. */
  readonly label?: string;
  /** A guest's memory in MiB. */
  readonly memory: number;
  /** Whether that is a file in the shared folder. */
  readonly keepsMemoryInFolder: boolean;
  /** Guests at a time; they share the test files. */
  readonly guests: number;
  /** Whether test/reboot is of this machine. */
  readonly pullsPlug: boolean;
  /** Milliseconds: a guest that says nothing for so long hangs. The runner in it gives a hanging file up earlier. */
  readonly patience: number;
  /** Why a test file (its path from the project's folder) is not run here; undefined when it is. */
  readonly leavesOut?: (file: string) => string | undefined;
  /** Kernel modules that the tests need, absolute paths in order. */
  readonly modules: readonly string[];
  start(guest: Guest): Running | Promise<Running>;
}

/** What is the same for every kernel's command line: where init finds host and tests. */
export const bootVariables = ({ number, shared }: Guest, more: Readonly<Record<string, string | number>>): string[] =>
  // What the kernel does not know becomes a variable of init's.
  Object.entries({ shared, guest: number, ...more }).map(([name, value]) => `${name}="${value}"`);
