/**
 * kill -9 at every step of every change: packets meet the old chain or the new one, and the next run heals what was left.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { probeEngine } from "../../src/dispatcher/engines/probe.ts";
import type { HookName, MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { mapPin } from "../../src/dispatcher/paths.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { crashPoints } from "../helpers/crash-points.ts";
import type { Operation } from "../helpers/crashing-dispatcher.ts";
import { type AttachOptions, DispatcherLab, OBJECTS } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { requireTcx } from "../helpers/features.ts";
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

/** What is set up for an operation. */
interface Scene {
  /** Dispatchers that were in the kernel before it. */
  readonly earlier: ReadonlySet<number>;
  readonly lab: DispatcherLab;
  /** The member that runs first, attached before the operation; undefined when nothing is. */
  readonly first?: ProgramRecord;
  /** The program that comes or goes. */
  readonly changing: ProgramRecord;
  readonly operation: Operation;
}

const PACKETS = 5;

/** Who heals. */
type Healer = "gc" | "attach";

const mapsOf = (id: number): readonly number[] => kernelProgram(id)?.info.mapIds ?? [];

/**
 * Dispatchers in the kernel. Others on this machine have some too: with the fused engine ours are those with maps of our
 * members; a dispatcher for extensions has none of theirs, so there every newcomer counts.
 */
function dispatchersOf({ lab, earlier }: Scene, maps: ReadonlySet<number>): number[] {
  const fresh = lab.kernelPrograms("sluice_xdp", "sluice_tc").filter((id) => !earlier.has(id));
  return probeEngine().engine === "fused" ? fresh.filter((id) => mapsOf(id).some((map) => maps.has(map))) : fresh;
}

function newLab(): Pick<Scene, "lab" | "earlier"> {
  const lab = new DispatcherLab();
  return { lab, earlier: new Set(lab.kernelPrograms("sluice_xdp", "sluice_tc")) };
}

/** A program that counts and passes on. */
const passing = (lab: DispatcherLab, hook: HookName): Promise<ProgramRecord> =>
  hook === "xdp" ? lab.load("xdp-members", "xdp", "pass_count") : lab.load("tc-members", "tc", "pipe_count");

/** One at the head of the chain. */
async function withFirst(
  lab: DispatcherLab,
  hook: HookName,
  more: AttachOptions = {},
): Promise<[ProgramRecord, MemberLink]> {
  const first = await passing(lab, hook);
  return [first, await lab.attach(first, hook, { priority: 0, ...more })];
}

const second = (lab: DispatcherLab, hook: HookName): Promise<ProgramRecord> =>
  hook === "xdp" ? lab.load("xdp-members", "xdp", "alpha") : lab.load("tc-members", "tc", "tc_alpha");

/** Every change, each set up anew. */
function scenes(hook: HookName, more: AttachOptions = {}): Record<string, () => Promise<Scene>> {
  const tcHook = more.tcHook ? { tcHook: more.tcHook } : {};
  return {
    "a first attach": async () => {
      const { lab, earlier } = newLab();
      const program = await second(lab, hook);
      return {
        lab,
        earlier,
        changing: program,
        operation: { do: "attach", program: program.id, hook, priority: 50, ...tcHook },
      };
    },
    "a second attach": async () => {
      const { lab, earlier } = newLab();
      const [first] = await withFirst(lab, hook, more);
      const program = await second(lab, hook);
      return {
        lab,
        earlier,
        first,
        changing: program,
        operation: { do: "attach", program: program.id, hook, priority: 50 },
      };
    },
    "a detach of one of two": async () => {
      const { lab, earlier } = newLab();
      const [first] = await withFirst(lab, hook, more);
      const program = await second(lab, hook);
      const link = await lab.attach(program, hook);
      return { lab, earlier, first, changing: program, operation: { do: "detach", link: link.id } };
    },
    "a detach of the last": async () => {
      const { lab, earlier } = newLab();
      const [first, link] = await withFirst(lab, hook, more);
      return { lab, earlier, changing: first, operation: { do: "detach", link: link.id } };
    },
    "an unload of one of two": async () => {
      const { lab, earlier } = newLab();
      const [first] = await withFirst(lab, hook, more);
      const program = await second(lab, hook);
      await lab.attach(program, hook);
      return { lab, earlier, first, changing: program, operation: { do: "unload", program: program.id } };
    },
    "an unload of the last": async () => {
      const { lab, earlier } = newLab();
      const [first] = await withFirst(lab, hook, more);
      return { lab, earlier, changing: first, operation: { do: "unload", program: first.id } };
    },
  };
}

/** How many of a burst of packets a program sees; none when its counters went with it. */
function seenBy(lab: DispatcherLab, ...programs: readonly ProgramRecord[]): number[] {
  const map = (type: string): string => (type === "xdp" ? "xdp_hits" : "tc_hits");
  const counts = (): number[] =>
    programs.map((program) =>
      existsSync(join(lab.paths.pins, mapPin(program.mapSet, map(program.type)))) ? lab.hits(program) : 0,
    );
  const earlier = counts();
  lab.send(PACKETS);
  return counts().map((count, i) => count - earlier[i]!);
}

/** What must hold after the process died. By `gc` or by the next attach it is healed. */
async function checkAfterwards(
  scene: Scene,
  again: ProgramRecord,
  maps: ReadonlySet<number>,
  hook: HookName,
  more: AttachOptions,
  by: Healer,
  at: string,
): Promise<void> {
  const { lab, first, changing } = scene;
  const chain = first ? [first, changing] : [changing];
  const [changed, firstSaw = PACKETS] = seenBy(lab, ...chain).toReversed();
  assert.equal(firstSaw, PACKETS, `${at}: the member that is always first saw every packet`);
  assert.ok([0, PACKETS].includes(changed!), `${at}: the chain of before or that of after, not ${changed} packets`);

  const attach = (): Promise<MemberLink> => lab.attach(again, hook, { priority: 1, ...more });
  if (by === "gc") await lab.dispatcher.heal();
  else await attach();
  assert.deepEqual(lab.findings(), [], at);
  const { state } = lab.dispatcher.snapshot();
  const known = [...state.dispatchers.values()].map(({ programId }) => programId);
  await eventually(() => assert.deepEqual(dispatchersOf(scene, maps), known, `${at}: orphans`));
  if (!state.programs.has(changing.id)) await eventually(() => assert.equal(kernelProgram(changing.id), undefined, at));

  // What runs is what the store says, and it goes on working.
  if (by === "gc") await attach();
  const isMember = [...state.links.values()].some(({ programId }) => programId === changing.id);
  const wanted = [PACKETS, ...(first ? [PACKETS] : []), isMember ? PACKETS : 0];
  assert.deepEqual(seenBy(lab, again, ...chain), wanted, at);
  assert.deepEqual(lab.findings(), [], at);
}

const HOOKS: readonly (readonly [title: string, hook: HookName, more: AttachOptions])[] = [
  ["XDP", "xdp", {}],
  ["TC on clsact", "tc-ingress", {}],
  ["TC through TCX", "tc-ingress", { tcHook: "tcx" }],
];

/** Kills the operation at each of its points, every time anew. */
async function killAtEach(t: TestContext, build: () => Promise<Scene>, hook: HookName, more: AttachOptions) {
  let points = 0;
  {
    const scene = await build();
    using lab = scene.lab;
    points = runDying(lab, scene.operation, Number.MAX_SAFE_INTEGER)!;
  }
  assert.ok(points > 5, `only ${points} points`);
  for (const dieAt of crashPoints(t, points)) {
    const scene = await build();
    using lab = scene.lab;
    // Loaded beforehand: to load it afterwards would heal already.
    const again = await passing(lab, hook);
    const programs = [again, scene.changing, ...(scene.first ? [scene.first] : [])];
    const maps = new Set(programs.flatMap(({ id }) => mapsOf(id)));
    assert.ok(maps.size >= programs.length, "each program has maps of its own");
    assert.equal(runDying(lab, scene.operation, dieAt), undefined, `point ${dieAt} was not reached`);
    // In turns; what gc heals on one hook the next attach heals on the other.
    const by = (dieAt % 2 === 0) === (hook === "xdp") ? "gc" : "attach";
    await checkAfterwards(scene, again, maps, hook, more, by, `point ${dieAt} of ${points}, healed by ${by}`);
  }
}

for (const [title, hook, more] of HOOKS) {
  describe(`kill -9 on ${title}`, () => {
    for (const [name, build] of Object.entries(scenes(hook, more))) {
      test(`at every step of ${name}`, async (t) => {
        if (more.tcHook === "tcx" && !requireTcx(t)) return;
        await killAtEach(t, build, hook, more);
      });
    }
  });
}

test("kill -9 at every step of a load leaves nothing that gc does not take away", async (t) => {
  const operation: Operation = { do: "load", object: join(OBJECTS, "xdp-members.bpf.o"), type: "xdp", name: "beta" };
  let points = 0;
  {
    using lab = new DispatcherLab();
    points = runDying(lab, operation, Number.MAX_SAFE_INTEGER)!;
  }
  assert.ok(points > 4, `only ${points} points`);
  for (const dieAt of crashPoints(t, points)) {
    using lab = new DispatcherLab();
    assert.equal(runDying(lab, operation, dieAt), undefined, `point ${dieAt} was not reached`);
    await lab.dispatcher.heal();
    assert.deepEqual(lab.findings(), [], `point ${dieAt}`);
    const loaded = [...lab.dispatcher.state().programs.keys()];
    assert.ok(loaded.length <= 1);
    await lab.load("xdp-members", "xdp", "beta");
  }
});
