/** XDP dispatchers on the real kernel. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { MemberLink, ProgramRecord } from "../../src/dispatcher/model.ts";
import { hookPin, programPin, revisionFolder, revisionPin, slotPin } from "../../src/dispatcher/paths.ts";
import { DEFAULT_PROCEED_ON, proceedOnMask, VERDICTS } from "../../src/dispatcher/proceed-on.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const load = (lab: DispatcherLab, name = "pass_count"): Promise<ProgramRecord> => lab.load("xdp-members", "xdp", name);

/** Hex of a little-endian u32, as global data is given. */
const u32 = (value: number): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value | 0);
  return bytes.toString("hex");
};

/** The same program with a verdict of its own. */
const loadVerdict = (lab: DispatcherLab, name: string, verdict: number): Promise<ProgramRecord> =>
  lab.load("xdp-members", "xdp", name, { globals: { verdict: u32(verdict) } });

const codes = (...names: string[]): number[] => names.map((name) => VERDICTS.xdp[name]!);

const pinned = (lab: DispatcherLab, path: string): boolean => existsSync(join(lab.paths.pins, path));

/**
 * Sends packets to a member of every verdict under each of these lists; who is behind it sees them as the list says,
 * and always after what an empty slot gives.
 */
async function goesOnAsListed(lists: (verdict: number) => (readonly number[])[]): Promise<void> {
  using lab = new DispatcherLab();
  const after = await load(lab, "drop_count");
  await lab.attach(after, "xdp", { priority: 100 });
  for (const verdict of Object.values(VERDICTS.xdp)) {
    const program = await loadVerdict(lab, "pass_count", verdict);
    for (const proceedOn of lists(verdict)) {
      const link = await lab.attach(program, "xdp", { proceedOn });
      const before = [lab.hits(program), lab.hits(after)];
      lab.send(2);
      await eventually(() => assert.equal(lab.hits(program), before[0]! + 2));
      const seen = [lab.hits(program) - before[0]!, lab.hits(after) - before[1]!];
      const goesOn = proceedOn.includes(verdict) || verdict === VERDICTS.xdp["dispatcher_return"];
      assert.deepEqual(seen, [2, goesOn ? 2 : 0], `verdict ${verdict} with ${proceedOn.join()}`);
      await lab.detach(link);
    }
  }
}

describe("XDP dispatchers", () => {
  test("1: a loaded program is in the store, in the kernel and among the pins", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab);
    assert.equal(program.type, "xdp");
    assert.ok(pinned(lab, programPin(program.id)));
    const kernel = kernelProgram(program.id)!;
    assert.equal(kernel.type, "xdp");
    assert.match(kernel.info.tag, /^[0-9a-f]{16}$/);
    assert.ok(Math.abs(Date.parse(kernel.loadedAt) - Date.now()) < 60_000, kernel.loadedAt);
    assert.deepEqual(lab.findings(), []);
    const { status, stdout } = lab.sluice("program", "get", String(program.id), "--json");
    assert.equal(status, 0);
    const shown = (JSON.parse(stdout) as { program: Record<string, unknown> }).program;
    assert.deepEqual([shown["id"], shown["type"], shown["pin"]], [program.id, "xdp", programPin(program.id)]);
  });

  test("2: the first attach makes a dispatcher of revision 1 with the program at position 0", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab);
    const link = await lab.attach(program, "xdp");
    assert.equal(link.details.position, 0);
    const { key, revision, engine } = lab.record("xdp")!;
    assert.equal(revision, 1);
    for (const pin of [revisionPin(key, 1), hookPin(key)]) assert.ok(pinned(lab, pin), pin);
    assert.equal(pinned(lab, slotPin(key, 1, 0)), engine === "freplace");
    lab.send(10);
    assert.equal(lab.hits(program), 10);
    assert.deepEqual(lab.findings(), []);
  });

  test("3: the second attach makes revision 2 in the same link, and removes the old one", async () => {
    using lab = new DispatcherLab();
    const programs = [await load(lab, "alpha"), await load(lab, "beta")];
    await lab.attach(programs[0]!, "xdp");
    const before = lab.record("xdp")!;
    const view = () => [...lab.dispatcher.snapshot().hooks.values()][0]!;
    const held = view();
    await lab.attach(programs[1]!, "xdp");
    const after = lab.record("xdp")!;
    assert.equal(after.revision, 2);
    assert.deepEqual(after.attachment, before.attachment);
    assert.equal(view().holder, held.holder);
    assert.notEqual(view().programId, held.programId);
    assert.equal(lab.order("xdp").length, 2);
    assert.equal(pinned(lab, revisionFolder(after.key, 1)), false);
    lab.send(3);
    assert.deepEqual(
      programs.map((program) => lab.hits(program)),
      [3, 3],
    );
  });

  test("4: the eleventh program is refused, the ten stay, and nothing is left of the try", async () => {
    using lab = new DispatcherLab();
    const programs: ProgramRecord[] = [];
    for (let i = 0; i < 10; i += 1) {
      programs.push(await load(lab));
      await lab.attach(programs[i]!, "xdp");
    }
    const before = [readdirSync(lab.paths.pins, { recursive: true }), lab.record("xdp")];
    const late = await load(lab);
    const { pins } = lab.paths;
    await assert.rejects(lab.attach(late, "xdp"), {
      code: "DISPATCHER_FULL",
      message: /no free dispatcher slots \(all 10 occupied\)/,
    });
    await lab.unload(late);
    assert.deepEqual([readdirSync(pins, { recursive: true }), lab.record("xdp")], before);
    lab.send(3);
    assert.deepEqual(
      programs.map((program) => lab.hits(program)),
      programs.map(() => 3),
    );
  });

  test("5, 6: position is the rank of the priority, also after one in the middle went and another came", async () => {
    using lab = new DispatcherLab();
    const priorities = [250, 50, 500, 100, 350, 150, 450, 200, 300, 400];
    const links = new Map<number, MemberLink>();
    const programs = new Map<number, ProgramRecord>();
    for (const priority of priorities) {
      programs.set(priority, await load(lab));
      links.set(priority, await lab.attach(programs.get(priority)!, "xdp", { priority }));
    }
    const ranks = (): number[][] =>
      [...lab.dispatcher.state().links.values()].map((link) => {
        const { position, priority } = (link as MemberLink).details;
        return [priority, position];
      });
    const wanted = (list: readonly number[]): number[][] =>
      list.toSorted((a, b) => a - b).map((priority, rank) => [priority, rank]);
    assert.deepEqual(
      ranks().toSorted(([a], [b]) => a! - b!),
      wanted(priorities),
    );
    await lab.detach(links.get(200)!);
    assert.deepEqual(
      ranks().toSorted(([a], [b]) => a! - b!),
      wanted(priorities.filter((p) => p !== 200)),
    );
    programs.delete(200);
    const late = await lab.attach(await load(lab, "drop_count"), "xdp", { priority: 200 });
    assert.equal(late.details.position, 3);
    assert.deepEqual(
      ranks().toSorted(([a], [b]) => a! - b!),
      wanted(priorities),
    );
    // Packets take the same order: the new one drops them behind those of lesser priorities.
    lab.send(3);
    assert.deepEqual(
      [...programs].map(([priority, program]) => [priority, lab.hits(program)]),
      [...programs.keys()].map((priority) => [priority, priority < 200 ? 3 : 0]),
    );
  });

  test("7: priority 0 is taken, kept as 0, and runs first", async () => {
    using lab = new DispatcherLab();
    const [usual, first] = [await load(lab, "alpha"), await load(lab, "drop_count")];
    await lab.attach(usual, "xdp");
    const link = await lab.attach(first, "xdp", { priority: 0 });
    assert.deepEqual([link.details.priority, link.details.position], [0, 0]);
    lab.send(3);
    assert.deepEqual([lab.hits(first), lab.hits(usual)], [3, 0]);
  });

  test("8: a negative priority is refused before the kernel is asked", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab);
    await assert.rejects(lab.attach(program, "xdp", { priority: -1 }), { code: "USAGE", message: /non-negative/ });
    const words = ["link", "attach", "xdp", String(program.id), "d0", "--priority=-1", "--netns", lab.ns.path];
    const { status, stdout, stderr } = lab.sluice(...words);
    assert.deepEqual([status, stdout], [64, ""]);
    assert.match(stderr, /priority.*-1/s);
    assert.equal(lab.record("xdp"), undefined);
    assert.equal(lab.dispatcher.state().links.size, 0);
    assert.doesNotMatch(lab.sh("ip link show d0"), /xdp/);
  });

  test("9: of equal priorities the name decides", async () => {
    using lab = new DispatcherLab();
    const drop = VERDICTS.xdp["drop"]!;
    const [beta, alpha] = [await loadVerdict(lab, "beta", drop), await loadVerdict(lab, "alpha", drop)];
    await lab.attach(beta, "xdp");
    await lab.attach(alpha, "xdp");
    assert.deepEqual(lab.order("xdp"), ["alpha", "beta"]);
    lab.send(3);
    assert.deepEqual([lab.hits(alpha), lab.hits(beta)], [3, 0]);
    // The other way round the newcomer is first, until the next change: then it is the names again.
    const e0 = { device: "e0" };
    await lab.attach(alpha, "xdp", e0);
    await lab.attach(beta, "xdp", e0);
    assert.deepEqual(lab.order("xdp", "e0"), ["beta", "alpha"]);
    await lab.attach(await load(lab), "xdp", { ...e0, priority: 90 });
    assert.deepEqual(lab.order("xdp", "e0"), ["alpha", "beta", "pass_count"]);
    lab.send(4, "e0");
    assert.deepEqual([lab.hits(alpha), lab.hits(beta)], [7, 0]);
  });

  test("10: of equal names the newest runs first, and ends the chain when its verdict is not proceeded on", async () => {
    using lab = new DispatcherLab();
    const older = await load(lab, "drop_count");
    const newer = await load(lab, "drop_count");
    await lab.attach(older, "xdp");
    const link = await lab.attach(newer, "xdp");
    assert.equal(link.details.position, 0);
    lab.send(5);
    assert.deepEqual([lab.hits(newer), lab.hits(older)], [5, 0]);
    // Nor do they change places when a third one comes.
    await lab.attach(await load(lab, "alpha"), "xdp", { priority: 90 });
    lab.send(5);
    assert.deepEqual([lab.hits(newer), lab.hits(older)], [10, 0]);
  });

  test("11: the last detach takes everything away; attaching again begins anew", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab);
    const link = await lab.attach(program, "xdp");
    const before = lab.record("xdp")!;
    await lab.detach(link);
    assert.equal(lab.record("xdp"), undefined);
    assert.deepEqual(readdirSync(join(lab.paths.pins, "xdp")), []);
    assert.doesNotMatch(lab.sh("ip link show d0"), /xdp/);
    await eventually(() => assert.equal(kernelProgram(before.programId), undefined));
    await lab.attach(program, "xdp");
    const after = lab.record("xdp")!;
    assert.equal(after.revision, 1);
    assert.notEqual(after.programId, before.programId);
  });

  test("12: filled, drained and filled again, the members follow", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab);
    const links: MemberLink[] = [];
    const counts: number[] = [];
    const note = (): unknown => counts.push(lab.order("xdp").length);
    for (let i = 0; i < 10; i += 1) {
      links.push(await lab.attach(program, "xdp"));
      note();
    }
    for (const link of links.slice(1)) {
      await lab.detach(link);
      note();
    }
    for (let i = 1; i < 10; i += 1) {
      await lab.attach(program, "xdp");
      note();
    }
    const up = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
    assert.deepEqual(counts, [...up, ...up.slice(0, 9).toReversed(), ...up.slice(1)]);
    lab.send(2);
    assert.equal(lab.hits(program), 20, "one program in ten places runs ten times");
    assert.deepEqual(lab.findings(), []);
  });

  test("13: dispatchers of two interfaces have nothing to do with each other", async () => {
    using lab = new DispatcherLab();
    const [one, two] = [await load(lab), await load(lab)];
    const link = await lab.attach(one, "xdp");
    await lab.attach(two, "xdp", { device: "e0" });
    lab.send(2, "d0");
    lab.send(3, "e0");
    await lab.detach(link);
    lab.send(4, "e0");
    assert.deepEqual([lab.hits(one), lab.hits(two)], [2, 7]);
    assert.equal(lab.record("xdp", "e0")!.revision, 1);
  });

  test("15, 16, 17: the chain goes on after what is proceeded on, and ends after what is not", async () => {
    using lab = new DispatcherLab();
    const programs = [await load(lab), await load(lab, "alpha"), await load(lab, "beta")];
    const counts = (): number[] => programs.map((program) => lab.hits(program));
    for (const [i, program] of programs.entries()) await lab.attach(program, "xdp", { priority: i });
    // Behind XDP: it sees what was passed, and nothing of what was dropped.
    const behind = await lab.load("tc-members", "tc", "pipe_count");
    await lab.attach(behind, "tc-ingress");
    lab.send(5);
    assert.deepEqual([...counts(), lab.hits(behind)], [5, 5, 5, 5]);
    const drop = await load(lab, "drop_count");
    const link = await lab.attach(drop, "xdp", { priority: 0 });
    lab.send(5);
    assert.deepEqual([lab.hits(drop), ...counts(), lab.hits(behind)], [5, 5, 5, 5, 5]);
    await lab.detach(link);
    const stopper = await load(lab);
    await lab.attach(stopper, "xdp", { priority: 1, proceedOn: codes("drop") });
    lab.send(5);
    assert.deepEqual([lab.hits(stopper), ...counts(), lab.hits(behind)], [5, 10, 5, 5, 10]);
  });

  test("21: a link keeps the mask of the verdicts it was given, and the default without", async () => {
    const all = ["aborted", "drop", "pass", "tx", "redirect"];
    const lists = [...all, "dispatcher_return"].map((name) => [name]);
    const wanted = [...lists, ["pass", "drop"], ["pass", "dispatcher_return"], all];
    const masks = [1, 2, 4, 8, 16, 2_147_483_648, 6, 2_147_483_652, 31];
    using lab = new DispatcherLab();
    const program = await load(lab);
    const kept: number[] = [];
    for (const names of wanted) {
      const { details } = await lab.attach(program, "xdp", { proceedOn: codes(...names) });
      kept.push(proceedOnMask("xdp", details.proceedOn));
    }
    assert.deepEqual(kept, masks);
    const { details } = await lab.attach(program, "xdp");
    assert.equal(proceedOnMask("xdp", details.proceedOn), 2_147_483_652);
  });

  test("21: every verdict goes on by its own bit alone, and by no other", async () => {
    const every = Object.values(VERDICTS.xdp);
    // By all the others together it does not go on: no bit stands for another.
    await goesOnAsListed((verdict) => [[verdict], every.filter((code) => code !== verdict)]);
  });

  test("21: every verdict goes on exactly when it is among several, or among the default", async () => {
    await goesOnAsListed(() => [codes("pass", "drop"), DEFAULT_PROCEED_ON.xdp]);
  });

  test("21: a verdict without a bit ends the chain, whatever the mask", async () => {
    using lab = new DispatcherLab();
    const after = await load(lab);
    await lab.attach(after, "xdp", { priority: 100 });
    for (const verdict of [32, 34, 255, -1]) {
      const program = await loadVerdict(lab, "alpha", verdict);
      const link = await lab.attach(program, "xdp", { proceedOn: [0, 1, 2, 3, 4, 31] });
      lab.send(2);
      assert.deepEqual([lab.hits(program), lab.hits(after)], [2, 0], `verdict ${verdict}`);
      await lab.detach(link);
    }
  });

  test("25: when a member is unloaded, the others move up and go on", async () => {
    using lab = new DispatcherLab();
    const going = await load(lab, "alpha");
    const staying = await load(lab, "beta");
    const gone = await lab.attach(going, "xdp", { priority: 1 });
    const link = await lab.attach(staying, "xdp", { priority: 2 });
    await lab.unload(going);
    const state = lab.dispatcher.state();
    assert.equal((state.links.get(link.id) as MemberLink).details.position, 0);
    assert.deepEqual([state.links.has(gone.id), state.programs.has(going.id)], [false, false]);
    await eventually(() => assert.equal(kernelProgram(going.id), undefined));
    lab.send(4);
    assert.equal(lab.hits(staying), 4);
  });

  test("75: a program that takes packets in several buffers loads and runs, beside one that does not", async () => {
    using lab = new DispatcherLab();
    const frags = await lab.load("xdp-frags", "xdp", "frags_pass");
    assert.equal(frags.frags, true);
    await lab.attach(frags, "xdp");
    const plain = await load(lab);
    await lab.attach(plain, "xdp");
    lab.send(3);
    assert.deepEqual([lab.hits(frags), lab.hits(plain)], [3, 3]);
  });
});
