/** TC dispatchers on the real kernel. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { ProgramRecord } from "../../src/dispatcher/model.ts";
import { DEFAULT_PROCEED_ON, proceedOnMask, VERDICTS } from "../../src/dispatcher/proceed-on.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const load = (lab: DispatcherLab, name = "ok_count", verdict?: number): Promise<ProgramRecord> => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(verdict ?? 0);
  const globals = verdict === undefined ? {} : { verdict: bytes.toString("hex") };
  return lab.load("tc-members", "tc", name, { globals });
};
const codes = (...names: string[]): number[] => names.map((name) => VERDICTS.tc[name]!);

/**
 * Sends packets to a member of every verdict under each of these lists; who is behind it sees them as the list says,
 * and always after what an empty slot gives.
 */
async function goesOnAsListed(lists: (verdict: number) => (readonly number[])[]): Promise<void> {
  using lab = new DispatcherLab();
  const after = await load(lab, "shot_count");
  await lab.attach(after, "tc-ingress", { priority: 100 });
  for (const verdict of Object.values(VERDICTS.tc)) {
    const program = await load(lab, "ok_count", verdict);
    for (const proceedOn of lists(verdict)) {
      const link = await lab.attach(program, "tc-ingress", { proceedOn });
      const before = [lab.hits(program), lab.hits(after)];
      lab.send(2);
      const seen = [lab.hits(program) - before[0]!, lab.hits(after) - before[1]!];
      const goesOn = proceedOn.includes(verdict) || verdict === VERDICTS.tc["dispatcher_return"];
      assert.deepEqual(seen, [2, goesOn ? 2 : 0], `verdict ${verdict} with ${proceedOn.join()}`);
      await lab.detach(link);
    }
  }
}

describe("TC dispatchers", () => {
  test("4, 5, 11: priorities, the limit of ten and the last detach are as on XDP", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab, "pipe_count");
    const links = [];
    for (const priority of [500, 50, 250, 100, 350, 150, 450, 200, 300, 400])
      links.push(await lab.attach(program, "tc-ingress", { priority }));
    const ranked = [...lab.dispatcher.state().links.values()].map(
      ({ details }) => details as { priority: number; position: number },
    );
    assert.deepEqual(
      ranked.toSorted((a, b) => a.priority - b.priority).map(({ position }) => position),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    const full = (): unknown[] => [readdirSync(lab.paths.pins, { recursive: true }), lab.record("tc-ingress")];
    const before = full();
    await assert.rejects(lab.attach(program, "tc-ingress"), {
      code: "DISPATCHER_FULL",
      message: /no free dispatcher slots \(all 10 occupied\)/,
    });
    assert.deepEqual(full(), before);
    lab.send(2);
    assert.equal(lab.hits(program), 20);
    const old = lab.record("tc-ingress")!.programId;
    await lab.detach(...links);
    assert.equal(lab.record("tc-ingress"), undefined);
    assert.deepEqual(readdirSync(join(lab.paths.pins, "tc-ingress")), []);
    assert.equal(lab.sh("tc filter show dev d0 ingress"), "");
    await eventually(() => assert.equal(kernelProgram(old), undefined));
    lab.send(2);
    assert.equal(lab.hits(program), 20);
    await lab.attach(program, "tc-ingress");
    const anew = lab.record("tc-ingress")!;
    assert.equal(anew.revision, 1);
    assert.notEqual(anew.programId, old);
  });

  test("9, 10: names decide between equal priorities, and of equal names the newest runs first", async () => {
    using lab = new DispatcherLab();
    const [beta, alpha] = [await load(lab, "tc_beta"), await load(lab, "tc_alpha")];
    await lab.attach(beta, "tc-ingress");
    await lab.attach(alpha, "tc-ingress");
    assert.deepEqual(lab.order("tc-ingress"), ["tc_alpha", "tc_beta"]);
    lab.send(3);
    assert.deepEqual([lab.hits(alpha), lab.hits(beta)], [3, 0]);
    // The other way round the newcomer is first, until the next change: then it is the names again.
    const e0 = { device: "e0" };
    await lab.attach(alpha, "tc-ingress", e0);
    await lab.attach(beta, "tc-ingress", e0);
    assert.deepEqual(lab.order("tc-ingress", "e0"), ["tc_beta", "tc_alpha"]);
    await lab.attach(await load(lab), "tc-ingress", { ...e0, priority: 90 });
    assert.deepEqual(lab.order("tc-ingress", "e0"), ["tc_alpha", "tc_beta", "ok_count"]);
    lab.send(4, "e0");
    assert.deepEqual([lab.hits(alpha), lab.hits(beta)], [7, 0]);
    const [older, newer] = [await load(lab), await load(lab)];
    await lab.attach(older, "tc-ingress", { priority: 1 });
    assert.equal((await lab.attach(newer, "tc-ingress", { priority: 1 })).details.position, 0);
    lab.send(3);
    assert.deepEqual([lab.hits(newer), lab.hits(older)], [3, 0]);
  });

  test("14: ingress and egress of one interface are two dispatchers, each with its own packets", async () => {
    using lab = new DispatcherLab();
    const [into, out] = [await load(lab, "pipe_count"), await load(lab, "pipe_count")];
    await lab.attach(into, "tc-ingress", { priority: 900 });
    await lab.attach(out, "tc-egress", { priority: 1 });
    lab.send(3, "d0");
    lab.send(4, "d1");
    assert.deepEqual([lab.hits(into), lab.hits(out)], [3, 4]);
    assert.deepEqual([lab.record("tc-ingress")!.revision, lab.record("tc-egress")!.revision], [1, 1]);
  });

  test("18: TC_ACT_OK ends the chain unless it is proceeded on", async () => {
    using lab = new DispatcherLab();
    const programs = [await load(lab), await load(lab), await load(lab)];
    for (const [i, program] of programs.entries()) await lab.attach(program, "tc-ingress", { priority: i });
    lab.send(5);
    assert.deepEqual(
      programs.map((program) => lab.hits(program)),
      [5, 0, 0],
    );
  });

  test("19: with ok, pipe and dispatcher_return all of them run", async () => {
    using lab = new DispatcherLab();
    const programs = [await load(lab), await load(lab), await load(lab)];
    const proceedOn = codes("ok", "pipe", "dispatcher_return");
    for (const [i, program] of programs.entries()) await lab.attach(program, "tc-ingress", { priority: i, proceedOn });
    lab.send(5);
    assert.deepEqual(
      programs.map((program) => lab.hits(program)),
      [5, 5, 5],
    );
  });

  test("20: of five the middle one proceeds only on shot and returns ok: three run", async () => {
    using lab = new DispatcherLab();
    const programs: ProgramRecord[] = [];
    for (let i = 0; i < 5; i += 1) programs.push(await load(lab));
    for (const [i, program] of programs.entries()) {
      const proceedOn = i === 2 ? codes("shot") : codes("ok", "pipe", "dispatcher_return");
      await lab.attach(program, "tc-ingress", { priority: i, proceedOn });
    }
    lab.send(5);
    assert.deepEqual(
      programs.map((program) => lab.hits(program)),
      [5, 5, 5, 0, 0],
    );
  });

  test("22: a link keeps the mask of the verdicts it was given, and the default without", async () => {
    const names = Object.keys(VERDICTS.tc);
    assert.deepEqual(names, [
      "unspec",
      "ok",
      "reclassify",
      "shot",
      "pipe",
      "stolen",
      "queued",
      "repeat",
      "redirect",
      "trap",
      "dispatcher_return",
    ]);
    const masks = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 2_147_483_648];
    using lab = new DispatcherLab();
    const program = await load(lab);
    const kept: number[] = [];
    for (const name of names) {
      const link = await lab.attach(program, "tc-ingress", { proceedOn: codes(name) });
      kept.push(proceedOnMask("tc", link.details.proceedOn));
      await lab.detach(link);
    }
    assert.deepEqual(kept, masks);
    const several = await lab.attach(program, "tc-ingress", { proceedOn: codes("ok", "pipe", "dispatcher_return") });
    assert.equal(proceedOnMask("tc", several.details.proceedOn), 2_147_483_666);
    const usual = await lab.attach(program, "tc-ingress");
    assert.equal(proceedOnMask("tc", usual.details.proceedOn), 2_147_483_664);
  });

  test("22: every verdict goes on by its own bit alone, and by no other", async () => {
    const every = Object.values(VERDICTS.tc);
    // By all the others together it does not go on: no bit stands for another.
    await goesOnAsListed((verdict) => [[verdict], every.filter((code) => code !== verdict)]);
  });

  test("22: every verdict goes on exactly when it is among several, or among the default", async () => {
    await goesOnAsListed(() => [codes("ok", "pipe", "dispatcher_return"), DEFAULT_PROCEED_ON.tc]);
  });

  test("22: a verdict without a bit ends the chain, whatever the mask", async () => {
    using lab = new DispatcherLab();
    const after = await load(lab, "pipe_count");
    await lab.attach(after, "tc-ingress", { priority: 100 });
    for (const verdict of [31, 63, 1000, -2]) {
      const program = await load(lab, "ok_count", verdict);
      const link = await lab.attach(program, "tc-ingress", { proceedOn: [-1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 30] });
      lab.send(2);
      assert.deepEqual([lab.hits(program), lab.hits(after)], [2, 0], `verdict ${verdict}`);
      await lab.detach(link);
    }
  });

  test("23: proceeding on unspec is kept and shown as -1", async () => {
    using lab = new DispatcherLab();
    const link = await lab.attach(await load(lab), "tc-ingress", { proceedOn: codes("unspec") });
    const { stdout } = lab.sluice("link", "get", String(link.id), "--json");
    const shown = JSON.parse(stdout) as { link: { details: { proceedOn: number[] } } };
    assert.deepEqual(shown.link.details.proceedOn, [-1]);
    assert.equal(proceedOnMask("tc", [-1]), 1);
  });

  test("24: a word that is no verdict is named, and nothing is attached", async () => {
    using lab = new DispatcherLab();
    const netns = ["--netns", lab.ns.path, "-p", "5"];
    const tc = String((await load(lab)).id);
    const xdp = String((await lab.load("xdp-members", "xdp", "pass_count")).id);
    const onTc = lab.sluice("link", "attach", "tc", tc, "d0", "ingress", ...netns, "--proceed-on", "ok,maybe");
    assert.deepEqual([onTc.status, onTc.stdout], [64, ""]);
    assert.match(onTc.stderr, /Invalid proceed-on value "maybe".*unspec, ok/s);
    // A verdict of the other family is none either.
    const onXdp = lab.sluice("link", "attach", "xdp", xdp, "d0", ...netns, "--proceed-on", "pass,shot");
    assert.deepEqual([onXdp.status, onXdp.stdout], [64, ""]);
    assert.match(onXdp.stderr, /Invalid proceed-on value "shot".*aborted, drop/s);
    assert.deepEqual([lab.record("tc-ingress"), lab.record("xdp")], [undefined, undefined]);
    assert.equal(lab.dispatcher.state().links.size, 0);
  });

  test("68: a word that is no direction is named, and nothing is attached", async () => {
    using lab = new DispatcherLab();
    const program = String((await load(lab)).id);
    const netns = ["--netns", lab.ns.path, "-p", "5"];
    const { status, stderr } = lab.sluice("link", "attach", "tc", program, "d0", "sideways", ...netns);
    assert.equal(status, 64);
    assert.match(stderr, /Invalid direction "sideways"/);
    assert.equal(lab.record("tc-ingress"), undefined);
  });

  test("32, 33: the filter is seen by tc: pref 50, direct-action, by the handle that the store has", async () => {
    using lab = new DispatcherLab();
    await lab.attach(await load(lab), "tc-ingress");
    const record = lab.record("tc-ingress")!;
    const shown = JSON.parse(lab.sh("tc -j filter show dev d0 ingress")) as {
      pref: number;
      kind: string;
      options?: Record<string, unknown>;
    }[];
    const filter = shown.find(({ options }) => options?.["prog"] !== undefined)!;
    assert.deepEqual([filter.pref, filter.kind], [50, "bpf"]);
    assert.equal(filter.options!["bpf_name"], "sluice_dispatcher");
    assert.equal(filter.options!["direct-action"], true);
    assert.equal((filter.options!["prog"] as { id: number }).id, record.programId);
    assert.ok(record.attachment.via === "clsact");
    assert.equal(Number(filter.options!["handle"]), record.attachment.handle);
  });

  test("filters behind the dispatcher still run when no member has decided", async () => {
    using lab = new DispatcherLab();
    const [ours, theirs] = [await load(lab, "pipe_count"), await load(lab, "pipe_count")];
    await lab.attach(ours, "tc-ingress");
    lab.sh(`tc filter add dev d0 ingress pref 60 bpf da pinned ${lab.paths.pins}/prog_${theirs.id}`);
    lab.send(3);
    assert.deepEqual([lab.hits(ours), lab.hits(theirs)], [3, 3]);
  });

  test("78: one program at several interfaces and sides has one id, and a link for each", async () => {
    using lab = new DispatcherLab();
    const program = await load(lab, "pipe_count");
    const links = [
      await lab.attach(program, "tc-ingress"),
      await lab.attach(program, "tc-egress"),
      await lab.attach(program, "tc-ingress", { device: "e0" }),
    ];
    assert.equal(new Set(links.map(({ id }) => id)).size, 3);
    assert.deepEqual(new Set(links.map(({ programId }) => programId)), new Set([program.id]));
    lab.send(1, "d0");
    lab.send(2, "d1");
    lab.send(4, "e0");
    assert.equal(lab.hits(program), 7);
  });
});
