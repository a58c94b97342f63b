/** The product on a router of a bed: `sluiced` as a process of its own, with autorate on the router's shapers. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Client } from "../../src/api/client.ts";
import type { Netns } from "../../src/linux/netns.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { monotonic } from "./clock.ts";

const LAUNCHER = join(import.meta.dirname, "../../bin/sluiced");
const FOLDER = "etc/sluice";
/** The kernel's unit of processor time in /proc, USER_HZ. */
const TICKS_PER_SECOND = 100;
/** It is ready within so long, s. */
const STARTS_WITHIN = 30;

/** What a process used. */
export interface Use {
  /** Processor time, seconds per second. */
  readonly cpu: number;
  /** Resident, bytes, at the end. */
  readonly resident: number;
}

/** Processor time that a process has used, s. */
function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  // After the name, which may have anything in it: state is field 3, utime 14, stime 15 (proc(5)).
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const residentBytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) * 1024;

/** A daemon that runs. Dispose to stop it and to remove its files. */
export class Daemon implements AsyncDisposable {
  readonly #root: string;
  readonly #child: ChildProcess;
  #log = "";

  private constructor(root: string, router: Netns) {
    this.#root = root;
    // It dies with this process, also after kill -9: it would hold its namespace for ever.
    const command = ["--pdeathsig", "KILL", LAUNCHER, "--netns", router.path];
    this.#child = spawn("setpriv", command, {
      stdio: ["ignore", "ignore", "pipe"],
      // Its compiled sources are found again by the next one.
      env: { ...process.env, SLUICE_ROOT: root, NODE_COMPILE_CACHE: join(tmpdir(), "sluice-bench-compiled") },
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
  }

  /** Starts one with this configuration (`sluice.toml`; the other files stand beside it) and waits until it is ready. */
  static async start(router: Netns, files: Readonly<Record<string, string>>): Promise<Daemon> {
    const root = mkdtempSync(join(tmpdir(), "sluice-bench-"));
    const folder = join(root, FOLDER);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    const daemon = new Daemon(root, router);
    try {
      await daemon.#ready();
    } catch (error) {
      await daemon[Symbol.asyncDispose]();
      throw error;
    }
    return daemon;
  }

  /** A file beside its configuration. */
  read(name: string): string {
    return readFileSync(join(this.#root, FOLDER, name), "utf8");
  }

  async #ready(): Promise<void> {
    const client = new Client({ socket: pathsBelow(this.#root).socket });
    for (const deadline = monotonic() + STARTS_WITHIN; ; await setTimeout(20)) {
      try {
        if ((await client.call("status", {})).state === "ready") return;
      } catch (error) {
        if (this.#ended) throw new Error(`sluiced ended:\n${this.#log}`, { cause: error });
      }
      if (monotonic() > deadline) throw new Error(`sluiced is not ready after ${STARTS_WITHIN} s:\n${this.#log}`);
    }
  }

  get #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Measures what it uses over the time until the function that is given back is called. @throws Error when it ended */
  measure(): () => Use {
    const pid = this.#child.pid!;
    const begin = { at: monotonic(), cpu: cpuSeconds(pid) };
    return () => {
      if (this.#ended) throw new Error(`sluiced ended before it was told to:\n${this.#log}`);
      const cpu = (cpuSeconds(pid) - begin.cpu) / (monotonic() - begin.at);
      return { cpu, resident: residentBytes(pid) };
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#ended) {
      const exited = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await exited;
    }
    rmSync(this.#root, { recursive: true });
  }
}
