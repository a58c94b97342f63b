/**
 * kill -9 at every step of every change: packets meet the old chain or the new one, and the next run heals what was left.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import type { HookName, MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import type { Operation } from "../helpers/crashing-dispatcher.ts";
import { type AttachOptions, DispatcherLab, OBJECTS } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const SCRIPT = join(import.meta.dirname, "../helpers/crashing-dispatcher.ts");

/** Runs the operation in a process of its own that dies at a point; the number of points when it lived. */
function runDying(lab: DispatcherLab, operation: Operation, dieAt: number): number | undefined {
  const args = [SCRIPT, lab.root, lab.ns.path, String(dieAt), JSON.stringify(operation)];
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (signal === "SIGKILL") return undefined;
  assert.equal(status, 0, stderr);
  return Number(stdout);
}

interface Scene {
  readonly lab: DispatcherLab;
  /** The member that runs first, attached before the operation; undefined when nothing is. */
  readonly first?: ProgramRecord;
  readonly operation: Operation;
  /** The hook after the operation has no chain. */
  readonly endsEmpty?: boolean;
}

const PACKETS = 5;

/** A program that counts and passes on, at the head of the chain. */
async function withFirst(
  lab: DispatcherLab,
  hook: HookName,
  more: AttachOptions = {},
): Promise<[ProgramRecord, MemberLink]> {
  const first =
    hook === "xdp"
      ? await lab.load("xdp-members", "xdp", "pass_count")
      : await lab.load("tc-members", "tc", "pipe_count");
  return [first, await lab.attach(first, hook, { priority: 0, ...more })];
}

const second = (lab: DispatcherLab, hook: HookName): Promise<ProgramRecord> =>
  hook === "xdp" ? lab.load("xdp-members", "xdp", "alpha") : lab.load("tc-members", "tc", "tc_alpha");

/** Every change, each set up anew. */
function scenes(hook: HookName, more: AttachOptions = {}): Record<string, () => Promise<Scene>> {
  const tcHook = more.tcHook ? { tcHook: more.tcHook } : {};
  return {
    "a first attach": async () => {
      const lab = new DispatcherLab();
      const program = await second(lab, hook);
      return { lab, operation: { do: "attach", program: program.id, hook, priority: 50, ...tcHook } };
    },
    "a second attach": async () => {
      const lab = new DispatcherLab();
      const [first] = await withFirst(lab, hook, more);
      const program = await second(lab, hook);
      return { lab, first, operation: { do: "attach", program: program.id, hook, priority: 50 } };
    },
    "a detach of one of two": async () => {
      const lab = new DispatcherLab();
      const [first] = await withFirst(lab, hook, more);
      const link = await lab.attach(await second(lab, hook), hook);
      return { lab, first, operation: { do: "detach", link: link.id } };
    },
    "a detach of the last": async () => {
      const lab = new DispatcherLab();
      const [first, link] = await withFirst(lab, hook, more);
      return { lab, first, endsEmpty: true, operation: { do: "detach", link: link.id } };
    },
    "an unload of one of two": async () => {
      const lab = new DispatcherLab();
      const [first] = await withFirst(lab, hook, more);
      const program = await second(lab, hook);
      await lab.attach(program, hook);
      return { lab, first, operation: { do: "unload", program: program.id } };
    },
  };
}

/** What must hold after the process died. */
async function checkAfterwards({ lab, first, endsEmpty }: Scene, hook: HookName, at: string): Promise<void> {
  const counted = first && lab.hits(first);
  lab.send(PACKETS);
  const seen = first && lab.hits(first) - counted!;
  if (first && !endsEmpty) assert.equal(seen, PACKETS, `${at}: the member that is always first saw every packet`);
  if (first && endsEmpty) assert.ok([0, PACKETS].includes(seen!), `${at}: the chain ran as a whole or not at all`);

  await lab.dispatcher.heal();
  assert.deepEqual(lab.findings(), [], at);
  const { state } = lab.dispatcher.snapshot();
  await eventually(() =>
    assert.equal(
      lab.kernelPrograms("sluice_xdp", "sluice_tc").length,
      state.dispatchers.size + bystanders,
      `${at}: orphans`,
    ),
  );
  // And goes on working.
  const again = await second(lab, hook);
  await lab.attach(again, hook, { priority: 1 });
  lab.send(PACKETS);
  assert.equal(lab.hits(again), PACKETS, at);
  assert.deepEqual(lab.findings(), [], at);
}

/** Dispatchers that other installations on this machine have. */
let bystanders = 0;
before(() => {
  using lab = new DispatcherLab();
  bystanders = lab.kernelPrograms("sluice_xdp", "sluice_tc").length;
});

const HOOKS: readonly (readonly [title: string, hook: HookName, more: AttachOptions])[] = [
  ["XDP", "xdp", {}],
  ["TC on clsact", "tc-ingress", {}],
];

for (const [title, hook, more] of HOOKS) {
  describe(`kill -9 on ${title}`, () => {
    for (const [name, build] of Object.entries(scenes(hook, more))) {
      test(`at every step of ${name}`, async (t) => {
        let points = 0;
        {
          const scene = await build();
          using lab = scene.lab;
          points = runDying(lab, scene.operation, Number.MAX_SAFE_INTEGER)!;
        }
        assert.ok(points > 5, `only ${points} points`);
        t.diagnostic(`${name}: ${points} points`);
        for (let dieAt = 0; dieAt < points; dieAt += 1) {
          const scene = await build();
          using lab = scene.lab;
          assert.equal(runDying(lab, scene.operation, dieAt), undefined, `point ${dieAt} was not reached`);
          await checkAfterwards(scene, hook, `${name}, point ${dieAt} of ${points}`);
        }
      });
    }
  });
}

test("kill -9 at every step of a load leaves nothing that gc does not take away", async () => {
  const operation: Operation = { do: "load", object: join(OBJECTS, "xdp-members.bpf.o"), type: "xdp", name: "beta" };
  let points = 0;
  {
    using lab = new DispatcherLab();
    points = runDying(lab, operation, Number.MAX_SAFE_INTEGER)!;
  }
  for (let dieAt = 0; dieAt < points; dieAt += 1) {
    using lab = new DispatcherLab();
    runDying(lab, operation, dieAt);
    await lab.dispatcher.heal();
    assert.deepEqual(lab.findings(), [], `point ${dieAt}`);
    const loaded = [...lab.dispatcher.state().programs.keys()];
    assert.ok(loaded.length <= 1);
    await lab.load("xdp-members", "xdp", "beta");
  }
});
