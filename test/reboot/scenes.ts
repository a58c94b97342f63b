/**
 * What is going on in a machine whose plug is pulled, and what must hold after the next start. Runs in a guest:
 * `scenes.ts before|after FOLDER`, where FOLDER outlives the machine and holds an installation of ours per scene.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { LAB } from "../../demo/lab.ts";
import { downloadClass } from "../helpers/leaves.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { ShapedLab } from "../helpers/shaper.ts";
import { AFTER, BEFORE, ispOfSketch, type Sketch } from "../helpers/sketch.ts";

const HELPERS = join(import.meta.dirname, "../helpers");

/** Runs a helper that says by a file that the plug is to be pulled, and waits until it has said so. */
async function untilPlug(folder: string, script: string, args: readonly string[]): Promise<void> {
  const file = join(folder, "plug");
  const env = { ...process.env, SLUICE_TEST_PLUG: file };
  const child = spawn(process.execPath, [join(HELPERS, script), ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  while (!existsSync(file)) {
    assert.deepEqual([child.exitCode, child.signalCode], [null, null], `it ended instead: ${said}`);
    await setTimeout(50);
  }
}

const note = (folder: string): string => join(folder, "class-of-a1");

/** A shaper at work. @param actions of the change that are done when the plug is pulled; a first build when `first` */
const shaper = (actions: number, first: boolean) => ({
  async before(folder: string): Promise<void> {
    const lab = new ShapedLab({ queues: 1, root: folder });
    if (!first) {
      await lab.apply(ispOfSketch(BEFORE));
      writeFileSync(note(folder), downloadClass(lab, ispOfSketch(BEFORE), "a1"));
    }
    const sketch: Sketch = first ? BEFORE : AFTER;
    const total = lab.plan(ispOfSketch(sketch)).length;
    await untilPlug(folder, "crashing-apply.ts", [
      folder,
      lab.lab.router.path,
      String(actions),
      JSON.stringify(sketch),
    ]);
    const left = lab.plan(ispOfSketch(sketch)).length;
    assert.ok(left > 0 && left < total, `${left} of ${total} actions are left: it is in the middle of it`);
  },
  async after(folder: string): Promise<void> {
    using lab = new ShapedLab({ queues: 1, root: folder });
    const isp = ispOfSketch(AFTER);
    await lab.apply(isp);
    assert.deepEqual(lab.plan(isp), []);
    // Who was there before has the class of before: what others noted of it still holds.
    if (!first) assert.equal(downloadClass(lab, isp, "a1"), readFileSync(note(folder), "utf8"));
    assert.match(lab.router(`tc class show dev ${LAB.lan}`), /rate \S+ ceil 12Mbit/);
  },
});

/** A dispatcher at work: a second member is attached. @param point at which the plug is pulled */
const dispatcher = (point: number) => ({
  async before(folder: string): Promise<void> {
    const lab = new DispatcherLab({}, folder);
    await lab.attach(await lab.load("xdp-members", "xdp", "alpha"), "xdp");
    const program = await lab.load("xdp-members", "xdp", "beta");
    const operation = { do: "attach", program: program.id, hook: "xdp", priority: 1 };
    await untilPlug(folder, "crashing-dispatcher.ts", [folder, lab.ns.path, String(point), JSON.stringify(operation)]);
  },
  async after(folder: string): Promise<void> {
    using lab = new DispatcherLab({}, folder);
    // The kernel forgot everything: rows of programs and hooks of before mean nothing, and are not mistaken for others'.
    assert.ok(lab.dispatcher.state().programs.size === 2);
    assert.ok(lab.findings().length > 0);
    const { warnings } = await lab.dispatcher.heal();
    assert.deepEqual(warnings, []);
    assert.deepEqual([lab.findings(), lab.dispatcher.state().programs.size], [[], 0]);
    const program = await lab.load("xdp-members", "xdp", "alpha");
    await lab.attach(program, "xdp");
    lab.send(3);
    assert.deepEqual([lab.hits(program), lab.order("xdp"), lab.findings()], [3, ["alpha"], []]);
  },
});

const SCENES = {
  "a-first-build": shaper(9, true),
  "a-change-begun": shaper(1, false),
  "a-change-half-made": shaper(8, false),
  "an-attach-built": dispatcher(2),
  "an-attach-swapped": dispatcher(6),
};

const [when, base] = process.argv.slice(2) as ["before" | "after", string];
for (const [name, scene] of Object.entries(SCENES)) {
  const folder = join(base, name);
  mkdirSync(folder, { recursive: true });
  try {
    await scene[when](folder);
  } catch (error) {
    throw new Error(`${name}, ${when} the plug was pulled`, { cause: error });
  }
}
writeFileSync(join(base, when), "");
// Until the plug is pulled.
if (when === "before") await setTimeout(600_000);
