/** The daemon with 1,000 circuits that are in the kernel already: how soon it answers, and what it costs to have it. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { humanBytes } from "../../src/core/units.ts";
import { DaemonLab } from "../../test/helpers/daemon.ts";
import type { Section } from "../report.ts";
import type { BenchOptions } from "../run.ts";
import { sample } from "../sample.ts";
import { ispTexts } from "../shaper/isp.ts";

const CIRCUITS = 1000;
const TARGET = { milliseconds: 1000 };
const MEMORY = 90 * 2 ** 20;
/** Milliseconds in which a daemon that has started comes to rest. */
const REST = 6000;
const LAUNCHER = join(import.meta.dirname, "../../bin/sluiced");

/** A started daemon, started as a service manager does. */
class Started implements AsyncDisposable {
  readonly milliseconds: number;
  readonly #end: () => Promise<void>;

  private constructor(milliseconds: number, end: () => Promise<void>) {
    this.milliseconds = milliseconds;
    this.#end = end;
  }

  static async of(lab: DaemonLab): Promise<Started> {
    const begin = performance.now();
    const child = spawn(LAUNCHER, ["--netns", lab.shaped.lab.router.path], {
      stdio: "ignore",
      env: { ...process.env, SLUICE_ROOT: lab.shaped.root },
    });
    const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
    const end = async (): Promise<void> => {
      child.kill("SIGTERM");
      await exited;
    };
    for (;;) {
      try {
        if ((await lab.client.call("status", {})).state === "ready") break;
      } catch {
        // Not yet.
      }
      await setTimeout(5);
    }
    return new Started(performance.now() - begin, end);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end();
  }
}

function invent(lab: DaemonLab): void {
  const { network, devices } = ispTexts(CIRCUITS);
  writeFileSync(lab.path("network.json"), network);
  writeFileSync(lab.path("ShapedDevices.csv"), devices);
  lab.write("sluice.toml", (text) =>
    text.replace('"300mbit"', '"100gbit"').replace('"150mbit"', '"100gbit"').replace('"auto"', '"fifo"'),
  );
}

/** Starts it again and again on the same tree. The first start, which builds the tree and compiles, is not counted. */
export async function* daemon({ quick }: BenchOptions): AsyncGenerator<Section> {
  await using lab = new DaemonLab();
  invent(lab);
  await (await Started.of(lab))[Symbol.asyncDispose]();
  const times: number[] = [];
  const resident: number[] = [];
  const idle: number[] = [];
  const seconds = quick ? 10 : 30;
  for (let run = 0; run < (quick ? 2 : 5); run += 1) {
    await using started = await Started.of(lab);
    times.push(started.milliseconds);
    await setTimeout(REST);
    const before = await lab.client.call("status", {});
    await setTimeout(seconds * 1000);
    const after = await lab.client.call("status", {});
    resident.push(after.residentBytes);
    idle.push(((after.cpuSeconds - before.cpuSeconds) / seconds) * 60);
  }
  const memory = sample(resident);
  const verdict = memory.max <= MEMORY ? "met" : "missed";
  yield {
    title: `sluiced with ${CIRCUITS.toLocaleString("en")} circuits that are in the kernel already`,
    rows: [{ what: "from its start until it answers and is ready", ours: sample(times), target: TARGET }],
    remarks: [
      `Resident at rest: ${humanBytes(memory.median)} (${humanBytes(memory.min)} to ${humanBytes(memory.max)}); ` +
        `wanted at most ${humanBytes(MEMORY)}: ${verdict}.`,
      `Processor time at rest: ${sample(idle).median.toFixed(2)} s a minute, the answer to a status every ${seconds} s among it.`,
    ],
  };
}
