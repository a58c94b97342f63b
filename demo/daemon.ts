/** The daemon, started in a namespace as a service manager would, and stopped in order. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { Client } from "../src/api/client.ts";
import { pathsBelow } from "../src/linux/paths.ts";

const LAUNCHER = join(import.meta.dirname, "../bin/sluiced");
const STARTS_WITHIN = 30_000;

/** How it is started. */
export interface DaemonOptions {
  /** Path of the namespace that it works in. */
  readonly netns: string;
  /** Its configuration. */
  readonly toml: string;
  /** Whether it is as far as it shall be. */
  readonly ready: (client: Client) => Promise<boolean>;
  /** Below which folder all that is its own lies; SLUICE_ROOT, or / without it, when left out. */
  readonly root?: string;
  /** The processor that all of it is bound to. */
  readonly cpu?: number;
}

/** A daemon that runs. Dispose to stop it. */
export class Daemon implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it has said: shown when it does not come up. */
  #said = "";
  readonly client: Client;

  private constructor({ netns, toml, root, cpu }: DaemonOptions) {
    const { config, socket } = pathsBelow(root);
    mkdirSync(dirname(config), { recursive: true });
    writeFileSync(config, toml);
    const words = [...(cpu === undefined ? [] : ["taskset", "-c", String(cpu)]), LAUNCHER, "--netns", netns];
    const env = { ...process.env, ...(root !== undefined && { SLUICE_ROOT: root }) };
    this.#child = spawn(words[0]!, words.slice(1), { stdio: ["ignore", "ignore", "pipe"], env });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#said += text));
    this.client = new Client({ socket });
  }

  /** Starts it, and waits until it is ready. */
  static async start(options: DaemonOptions): Promise<Daemon> {
    const daemon = new Daemon(options);
    const deadline = performance.now() + STARTS_WITHIN;
    for (;;) {
      const isReady = await options.ready(daemon.client).catch((error: unknown) => {
        if (["ENOENT", "ECONNREFUSED"].includes((error as NodeJS.ErrnoException).code ?? "")) return false;
        throw error;
      });
      if (isReady) return daemon;
      if (daemon.#child.exitCode !== null) throw new Error(`sluiced ended:\n${daemon.#said}`);
      if (performance.now() > deadline) throw new Error(`sluiced does not come up:\n${daemon.#said}`);
      await setTimeout(50);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) throw new Error(`sluiced ended by itself:\n${this.#said}`);
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await ended;
  }
}
