/** Starts Node programs that become another user, in a process of their own, with nothing but the descriptors that they are given. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { messageOf } from "../core/errors.ts";
import type { StartWords } from "./confined.ts";
import { LineReader } from "./line-reader.ts";

/** Longest line that is read of what a program says, characters. */
const LONGEST_LINE = 8192;
/** MiB of JavaScript's own memory. */
const HEAP = 64;

/** How a program is started. */
export interface ConfinedOptions {
  /** Calls `confine` (confined.ts) first. */
  readonly program: URL;
  /** Shown by the system's tools. */
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  /** Become its descriptors 3, 4, ...; they stay the caller's. */
  readonly fds: readonly number[];
  /** Processors its main thread is bound to; all when left out. */
  readonly cpus?: readonly number[] | undefined;
  /** Handed to it as JSON. */
  readonly options: unknown;
  /** Told every line that it writes to its standard error. */
  readonly said: (line: string) => void;
}

/** A program that was started. */
export interface ConfinedProcess {
  /** Undefined when there could be no process; `ended` says why. */
  readonly pid: number | undefined;
  /** How it ended, as half a sentence. It is told after the last line. */
  readonly ended: Promise<string>;
  kill(signal: NodeJS.Signals): void;
}

/** What is ours of the environment; nothing else is its business. */
const environment = (): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(process.env).filter(([key]) => /^(SLUICE_|NODE_COMPILE_CACHE$)/.test(key)));

async function ending(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    return signal === null ? `it ended with code ${code}` : `it was ended by ${signal}`;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * Starts one, in a process group of its own and this thread's network namespace. It ends with the thread that started it.
 * It is this user while it loads, so that sluice may lie where nobody else can read.
 */
export function startConfined(options: ConfinedOptions): ConfinedProcess {
  const { program, name, uid, gid, fds, cpus, said } = options;
  const words: StartWords = { parent: process.pid, uid, gid, options: options.options, ...(cpus && { cpus }) };
  const flags = [`--max-old-space-size=${HEAP}`, "--max-semi-space-size=1"];
  const child = spawn(process.execPath, [...flags, fileURLToPath(program), name, JSON.stringify(words)], {
    cwd: "/",
    env: environment(),
    detached: true,
    stdio: ["ignore", "ignore", "pipe", ...fds],
  });
  const ended = ending(child);
  const reader = new LineReader(LONGEST_LINE, said);
  child.stderr?.on("data", (chunk: Buffer) => reader.push(chunk)).on("end", () => reader.end());
  return { pid: child.pid, ended, kill: (signal) => void child.kill(signal) };
}
