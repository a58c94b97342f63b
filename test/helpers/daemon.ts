/** A daemon on a lab's router: started as a process of its own, with the example ISP, spoken to by its socket. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Client } from "../../src/api/client.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { ShapedLab } from "./shaper.ts";

const ROOT = join(import.meta.dirname, "../..");
const STARTS_WITHIN = 60_000;

/** How a daemon is started. */
export interface StartOptions {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Do not wait until it answers. */
  readonly wait?: boolean;
  /** What a service manager hands to it, by name (sd_listen_fds(3)). */
  readonly fds?: ReadonlyMap<string, number>;
}

/** The lab, the folder of the configuration, and the daemon once it is started. */
export class DaemonLab implements AsyncDisposable {
  readonly shaped: ShapedLab;
  readonly folder: string;
  readonly client: Client;
  #child: ChildProcess | undefined;
  /** What it wrote so far. */
  log = "";

  /** @param more further tables of the configuration */
  constructor(more = "", options: ConstructorParameters<typeof ShapedLab>[0] = {}) {
    this.shaped = new ShapedLab(options);
    this.folder = join(this.shaped.root, "etc/sluice");
    mkdirSync(this.folder, { recursive: true });
    cpSync(join(ROOT, "examples/isp"), this.folder, { recursive: true });
    if (more !== "") this.write("sluice.toml", (text) => `${text}\n${more}\n`);
    this.client = new Client({ socket: pathsBelow(this.shaped.root).socket });
  }

  /** A file of the configuration's folder. */
  path(name: string): string {
    return join(this.folder, name);
  }

  /** Changes one of them. */
  write(name: string, change: (text: string) => string): void {
    const path = this.path(name);
    writeFileSync(path, change(spawnSync("cat", [path], { encoding: "utf8" }).stdout));
  }

  /** The daemon's process id; undefined when none runs. */
  get pid(): number | undefined {
    return this.#child?.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  /** Starts it, and waits until it answers. */
  async start({ args = [], env = {}, wait = true, fds = new Map() }: StartOptions = {}): Promise<void> {
    const command = [join(ROOT, "src/daemon/main.ts"), "--netns", this.shaped.lab.router.path, ...args];
    const node = [process.execPath, "--expose-gc", "--max-semi-space-size=1", ...command];
    const listen = { LISTEN_FDS: String(fds.size), LISTEN_FDNAMES: [...fds.keys()].join(":") };
    // It has to be told its own number, which only itself knows.
    const child = spawn("sh", ["-c", 'LISTEN_PID=$$ exec "$@"', "sh", ...node], {
      stdio: ["ignore", "ignore", "pipe", ...fds.values()],
      env: { ...process.env, SLUICE_ROOT: this.shaped.root, ...(fds.size > 0 && listen), ...env },
    });
    (child.stderr as Readable).setEncoding("utf8").on("data", (text: string) => (this.log += text));
    this.#child = child;
    if (wait) await this.answers();
  }

  /** Waits until it answers. */
  async answers(): Promise<void> {
    const deadline = performance.now() + STARTS_WITHIN;
    for (;;) {
      try {
        const { state } = await this.client.call("status", {});
        if (state === "ready") return;
      } catch (error) {
        if (this.pid === undefined) throw new Error(`the daemon ended:\n${this.log}`, { cause: error });
      }
      if (performance.now() > deadline) throw new Error(`the daemon does not answer:\n${this.log}`);
      await setTimeout(20);
    }
  }

  /** Sends a signal. */
  kill(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Waits until it has ended; its exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const child = this.#child;
    if (!child) return null;
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return child.exitCode ?? child.signalCode;
  }

  /** Stops it in order. */
  async stop(): Promise<number | NodeJS.Signals | null> {
    this.kill("SIGTERM");
    return this.ended();
  }

  /** The command line on it. */
  cli(args: readonly string[]): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    const env = { ...process.env, SLUICE_ROOT: this.shaped.root };
    return spawnSync(process.execPath, [join(ROOT, "src/cli/main.ts"), ...args], { encoding: "utf8", env });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.ended();
    this.shaped[Symbol.dispose]();
  }
}
