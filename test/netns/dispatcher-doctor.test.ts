/** Damage, what the doctor says of it, and how gc mends it. Titles begin with the number of the behaviour in docs/dispatcher.md. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { openSync, closeSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, test } from "node:test";
import { RULES } from "../../src/dispatcher/doctor.ts";
import { attachTcx, attachToDispatcher } from "../../src/dispatcher/manage.ts";
import { hookPin, linkPin, programPin, revisionFolder } from "../../src/dispatcher/paths.ts";
import { kernelProgram } from "../../src/dispatcher/view.ts";
import { programInfo } from "../../src/linux/bpf/info.ts";
import { createXdpLink, updateLink, XDP_FLAGS } from "../../src/linux/bpf/link.ts";
import { openPin, removePins } from "../../src/linux/bpf/pin.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { DispatcherLab } from "../helpers/dispatcher-lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { requireTcx } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";

checkFds();

const rules = (lab: DispatcherLab): string[] => lab.findings().map((finding) => finding.replace(/:.*/s, ""));
const pin = (lab: DispatcherLab, path: string): string => join(lab.paths.pins, path);

/** A lab with two members on XDP and one on TC ingress, which all count. */
async function busy(): Promise<{ lab: DispatcherLab; check: () => void }> {
  const lab = new DispatcherLab();
  const xdp = [await lab.load("xdp-members", "xdp", "alpha"), await lab.load("xdp-members", "xdp", "beta")];
  for (const program of xdp) await lab.attach(program, "xdp");
  const tc = await lab.load("tc-members", "tc", "pipe_count");
  await lab.attach(tc, "tc-ingress");
  const check = (): void => {
    const counts = (): number[] => [...xdp, tc].map((program) => lab.hits(program));
    const before = counts();
    lab.send(2);
    assert.deepEqual(
      counts(),
      before.map((count) => count + 2),
      "every member runs again",
    );
    assert.deepEqual(lab.findings(), []);
  };
  return { lab, check };
}

describe("the doctor", () => {
  test("69: has nothing to say of a healthy state", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    check();
    const { status, stdout } = lab.sluice("doctor");
    assert.deepEqual([status, stdout], [0, "All checks passed. Store, kernel and file system are coherent.\n"]);
    assert.deepEqual((await lab.dispatcher.heal()).plan.actions, []);
  });

  test("70: a filter that was removed by tc is found, and gc puts it back", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    lab.sh("tc filter del dev d0 ingress pref 50");
    assert.deepEqual(rules(lab), ["tc-filter-exists"]);
    const { stdout } = lab.sluice("doctor");
    assert.match(stdout, /\[tc-filter-exists\] error \(1\)\n.*\n\nSummary: 1 error\(s\), 0 warning\(s\)/);
    await lab.dispatcher.heal();
    check();
  });

  test("70: a clsact qdisc that was removed with our filter is made again", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    lab.sh("tc qdisc del dev d0 clsact");
    assert.deepEqual(rules(lab), ["tc-filter-exists"]);
    await lab.dispatcher.heal();
    check();
  });

  test("70: the pin of an XDP link that was removed is found, and gc attaches again", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    rmSync(pin(lab, hookPin(lab.record("xdp")!.key)));
    await eventually(() => assert.deepEqual(rules(lab), ["dispatcher-link-in-kernel", "dispatcher-link-pin-exists"]));
    await lab.dispatcher.heal();
    check();
  });

  test("70: the pin of a revision that was removed is found, and gc builds another", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    const { key, revision } = lab.record("xdp")!;
    removePins(pin(lab, revisionFolder(key, revision)));
    assert.deepEqual(rules(lab), ["dispatcher-prog-pin-exists"]);
    await lab.dispatcher.heal();
    assert.equal(lab.record("xdp")!.revision, revision + 1);
    check();
  });

  test("70: a dispatcher whose program went with all its pins is found, and gc builds another", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    const { key, revision, programId } = lab.record("xdp")!;
    rmSync(pin(lab, hookPin(key)));
    removePins(pin(lab, revisionFolder(key, revision)));
    const found = ["prog-in-kernel", "link-in-kernel", "prog-pin-exists", "link-pin-exists"];
    await eventually(() =>
      assert.deepEqual(
        rules(lab),
        found.map((rule) => `dispatcher-${rule}`),
      ),
    );
    await lab.dispatcher.heal();
    assert.notEqual(lab.record("xdp")!.programId, programId);
    check();
  });

  test("70: another program in our own link is found, and gc puts ours back", async () => {
    const { lab: owned, check } = await busy();
    using lab = owned;
    const { key, revision } = lab.record("xdp")!;
    {
      using link = openPin(pin(lab, hookPin(key)))!;
      using ours = openPin(pin(lab, `${revisionFolder(key, revision)}/dispatcher`))!;
      const other = [...lab.dispatcher.state().programs.values()].find(({ name }) => name === "alpha")!;
      using theirs = openPin(pin(lab, programPin(other.id)))!;
      updateLink(link, theirs, ours);
    }
    assert.deepEqual(rules(lab), ["dispatcher-live-program"]);
    await lab.dispatcher.heal();
    check();
  });

  test("70: rows that were deleted leave orphans, which gc takes away", async () => {
    const { lab: owned } = await busy();
    using lab = owned;
    const before = [...lab.dispatcher.state().programs.keys()];
    lab.restart();
    {
      using db = new DatabaseSync(lab.paths.state);
      db.exec("PRAGMA foreign_keys = OFF; DELETE FROM link; DELETE FROM dispatcher; DELETE FROM program");
    }
    const found = new Set(rules(lab));
    assert.ok(found.has("orphan-fs-entries") && found.has("kernel-program-pinned-but-not-in-db"), [...found].join());
    await lab.dispatcher.heal();
    assert.deepEqual(lab.findings(), []);
    assert.doesNotMatch(lab.sh("ip link show d0"), /xdp/);
    assert.equal(lab.sh("tc filter show dev d0 ingress"), "");
    await eventually(() =>
      assert.deepEqual(
        before.filter((id) => kernelProgram(id)),
        [],
      ),
    );
  });

  test("70: the pin of a program that was removed is found; the members that are left go on", async () => {
    using lab = new DispatcherLab();
    const [going, staying] = [
      await lab.load("xdp-members", "xdp", "alpha"),
      await lab.load("xdp-members", "xdp", "beta"),
    ];
    for (const program of [going, staying]) await lab.attach(program, "xdp");
    rmSync(pin(lab, programPin(going.id)));
    await eventually(() => assert.deepEqual(rules(lab), ["program-in-kernel"]));
    await lab.dispatcher.heal();
    assert.deepEqual(lab.order("xdp"), ["beta"]);
    lab.send(2);
    assert.equal(lab.hits(staying), 2);
    assert.deepEqual(lab.findings(), []);
  });

  test("70: the pin of a TCX link that was removed is found, and its row goes", async (t) => {
    if (!requireTcx(t)) return;
    using lab = new DispatcherLab();
    const program = await lab.load("tc-members", "tcx", "ok_count");
    const attach = { programId: program.id, side: "ingress" as const, device: "d0", netns: lab.ns.path, priority: 1 };
    const link = (await attachTcx(lab.dispatcher, attach)).items[0]!;
    rmSync(pin(lab, linkPin(link.id)));
    await eventually(() => assert.deepEqual(rules(lab), ["link-in-kernel", "link-pin-exists"]));
    await lab.dispatcher.heal();
    assert.equal(lab.dispatcher.state().links.size, 0);
    assert.deepEqual(lab.findings(), []);
  });

  test("what is not of our naming among our pins is told of and stays", async () => {
    using lab = new DispatcherLab();
    await lab.load("xdp-members", "xdp", "alpha");
    mkdirSync(pin(lab, "somebody"));
    assert.deepEqual(rules(lab), ["strange-fs-entries"]);
    const { stdout, stderr } = lab.sluice("gc");
    assert.equal(stdout, "Nothing to clean up.\n");
    assert.match(stderr, /1 finding\(s\) are not sluice's to mend/);
    assert.deepEqual(rules(lab), ["strange-fs-entries"]);
  });

  test("71: after a reboot rows go, and attaching works again", async () => {
    const { lab: owned } = await busy();
    using lab = owned;
    for (const path of ["xdp", "tc-ingress", "maps"]) removePins(pin(lab, path));
    for (const id of lab.dispatcher.state().programs.keys()) rmSync(pin(lab, programPin(id)));
    lab.sh("tc qdisc del dev d0 clsact");
    const gone = (rule: string): number => rules(lab).filter((found) => found === rule).length;
    await eventually(() => assert.deepEqual([gone("program-in-kernel"), gone("dispatcher-prog-in-kernel")], [3, 2]));
    const { stdout } = lab.sluice("gc");
    assert.match(
      stdout,
      /^GC complete: 3 programs, 2 dispatchers, 0 links, 0 orphan pins removed; 0 dispatchers mended\.$/m,
    );
    assert.deepEqual(lab.findings(), []);
    const program = await lab.load("xdp-members", "xdp", "alpha");
    await lab.attach(program, "xdp");
    assert.equal(lab.record("xdp")!.revision, 1);
  });

  test("71: rows of an earlier boot are nothing but rows, whatever their ids mean by now", async () => {
    const { lab: owned } = await busy();
    using lab = owned;
    lab.restart();
    {
      using db = new DatabaseSync(lab.paths.state);
      db.exec("UPDATE program SET boot = 'x'; UPDATE dispatcher SET boot = 'x'");
    }
    assert.ok(rules(lab).includes("program-in-kernel"));
    await lab.dispatcher.heal();
    assert.deepEqual([lab.dispatcher.state().programs.size, lab.findings()], [0, []]);
  });

  test("72: a row whose id is somebody else's program by now goes, and that program stays", async () => {
    using lab = new DispatcherLab();
    const [victim, bystander] = [
      await lab.load("xdp-members", "xdp", "alpha"),
      await lab.load("xdp-members", "xdp", "beta"),
    ];
    using theirs = openPin(pin(lab, programPin(bystander.id)))!;
    rmSync(pin(lab, programPin(victim.id)));
    rmSync(pin(lab, programPin(bystander.id)));
    assert.ok(rules(lab).includes("program-pin-exists"));
    await lab.dispatcher.heal();
    assert.equal(lab.dispatcher.state().programs.size, 0);
    assert.equal(programInfo(theirs.number).id, bystander.id, "whoever holds it keeps it");
  });

  test("every rule can be explained, and an unknown one is an error", () => {
    using lab = new DispatcherLab();
    const { stdout } = lab.sluice("doctor", "explain");
    for (const { name } of RULES) assert.match(stdout, new RegExp(`^${name} \\(`, "m"));
    const unknown = lab.sluice("doctor", "explain", "tc-filter-exist");
    assert.equal(unknown.status, 1);
    assert.match(unknown.stderr, /no rule "tc-filter-exist"[^]*Did you mean "tc-filter-exists"/);
  });
});

describe("healing", () => {
  test("a dispatcher that cannot be healed stops no change elsewhere, is told of, and is healed when it can be", async () => {
    let refusals = 0;
    const fault = (point: string): void => {
      if (point !== "before hook.attach" || refusals === 0) return;
      refusals -= 1;
      throw new Error("the kernel says no");
    };
    using lab = new DispatcherLab({ fault });
    const xdp = await lab.load("xdp-members", "xdp", "alpha");
    const tc = await lab.load("tc-members", "tc", "pipe_count");
    await lab.attach(xdp, "xdp");
    rmSync(pin(lab, hookPin(lab.record("xdp")!.key)));
    const lost = ["dispatcher-link-in-kernel", "dispatcher-link-pin-exists"];
    await eventually(() => assert.deepEqual(rules(lab), lost));
    refusals = 1;
    const attach = { programId: tc.id, hook: "tc-ingress", device: "e0", netns: lab.ns.path, priority: 50 } as const;
    const { change } = await attachToDispatcher(lab.dispatcher, attach);
    assert.deepEqual(
      change.warnings.map(({ code }) => code),
      ["DISPATCHER_UNHEALED"],
    );
    assert.match(change.warnings[0]!.message, /xdp on d0.*the kernel says no/s);
    assert.deepEqual([lab.order("tc-ingress", "e0"), rules(lab)], [["pipe_count"], lost]);
    await lab.attach(tc, "tc-ingress");
    lab.send(1);
    assert.deepEqual([lab.hits(xdp), lab.findings()], [1, []]);
  });

  test("a hook that somebody else has taken meanwhile is left to them, and the doctor names them", async () => {
    const { lab: owned } = await busy();
    using lab = owned;
    rmSync(pin(lab, hookPin(lab.record("xdp")!.key)));
    using foreign = tinyProgram(PROGRAM_TYPE.XDP, 2);
    const place = lab.ifindex("d0");
    // The hook is free a moment after the last reference to our link has gone.
    using _theirs = await eventually(() => lab.ns.run(() => createXdpLink(foreign, place, XDP_FLAGS.SKB)));
    const { warnings } = await lab.dispatcher.heal();
    assert.deepEqual(warnings, []);
    assert.match(lab.findings().join(), /XDP has program \d+ \("sluice_tiny"\) of somebody else's/);
    const program = await lab.load("tc-members", "tc", "pipe_count");
    await lab.attach(program, "tc-ingress", { device: "e0" });
  });

  test("--plan tells what would be healed first, and heals nothing", async () => {
    const { lab: owned } = await busy();
    using lab = owned;
    lab.sh("tc filter del dev d0 ingress pref 50");
    const program = await lab.load("xdp-members", "xdp", "alpha");
    lab.sh("tc filter del dev d0 ingress pref 50");
    const args = ["link", "attach", "xdp", String(program.id), "e0", "-p", "50", "--netns", lab.ns.path, "--plan"];
    const { status, stdout, stderr } = lab.sluice(...args);
    assert.equal(status, 0, stderr);
    assert.match(stderr, /tc-ingress on d0/);
    assert.match(stdout, /^\+ dispatcher xdp on e0 revision 1/);
    assert.deepEqual(rules(lab), ["tc-filter-exists"]);
  });
});

describe("faults", () => {
  test("55: a program whose attach the kernel refuses stays loaded, without a link", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    // The MTU of a veth may be too large for XDP in the driver; said to be native, it is refused.
    lab.sh("ip link set d1 mtu 9000; ip link set d0 mtu 9000");
    const path = ["link", "attach", "xdp", String(program.id), "d0", "-p", "1", "--netns", lab.ns.path];
    const { status, stderr } = lab.sluice(...path, "--xdp-mode", "native");
    assert.equal(status, 1, stderr);
    assert.match(stderr, /The driver of d0 does not take this XDP program .*\[XDP_DRIVER\]/);
    assert.deepEqual(lab.findings(), []);
    const state = lab.dispatcher.state();
    assert.deepEqual([state.links.size, state.dispatchers.size, state.programs.size], [0, 0, 1]);
    // Left to itself it takes the stack's way and says so.
    const generic = lab.sluice(...path);
    assert.equal(generic.status, 0, generic.stderr);
    assert.match(generic.stderr, /d0 runs XDP in generic mode/);
    lab.send(2);
    assert.equal(lab.hits(program), 2);
  });

  test("56: when the store cannot be written after the swap, the old chain is back and nothing is left", async () => {
    for (const hook of ["xdp", "tc-ingress"] as const) {
      using lab = new DispatcherLab();
      const load = () =>
        hook === "xdp" ? lab.load("xdp-members", "xdp", "alpha") : lab.load("tc-members", "tc", "pipe_count");
      const [one, two] = [await load(), await load()];
      const link = await lab.attach(one, hook);
      const before = lab.record(hook)!;
      {
        using db = new DatabaseSync(lab.paths.state);
        db.exec("CREATE TRIGGER full BEFORE INSERT ON dispatcher BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
        db.exec("CREATE TRIGGER fast BEFORE DELETE ON dispatcher BEGIN SELECT RAISE(ABORT, 'the disk is full'); END");
      }
      await assert.rejects(lab.attach(two, hook), /the disk is full/);
      await assert.rejects(lab.detach(link), /the disk is full/);
      {
        using db = new DatabaseSync(lab.paths.state);
        db.exec("DROP TRIGGER full; DROP TRIGGER fast");
      }
      assert.deepEqual(lab.record(hook), before);
      lab.send(2);
      assert.deepEqual([lab.hits(one), lab.hits(two)], [2, 0]);
      // A link that was detached and put back has another number: the next change writes it down.
      await lab.dispatcher.heal();
      assert.deepEqual(lab.findings(), []);
      await lab.attach(two, hook);
      lab.send(1);
      assert.deepEqual([lab.hits(one), lab.hits(two)], [3, 1]);
    }
  });

  test("57: a detach that fails keeps the row, and works when it is tried again", async () => {
    let fail = false;
    const fault = (point: string): void => {
      if (fail && point === "before hook.detach") throw new Error("the kernel says no");
    };
    using lab = new DispatcherLab({ fault });
    const link = await lab.attach(await lab.load("xdp-members", "xdp", "alpha"), "xdp");
    fail = true;
    await assert.rejects(lab.detach(link), { code: "APPLY_ROLLED_BACK", message: /the kernel says no/ });
    assert.ok(lab.dispatcher.state().links.has(link.id));
    fail = false;
    await lab.detach(link);
    assert.equal(lab.dispatcher.state().links.size, 0);
  });

  test("65: who waits for the lock too long is told who holds it; readers do not wait", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    {
      using _held = await lab.dispatcher.lock();
      const args = ["link", "attach", "xdp", String(program.id), "d0", "-p", "1", "--netns", lab.ns.path];
      const { status, stderr } = lab.sluice(...args, "--lock-timeout", "200ms");
      assert.equal(status, 1);
      assert.match(stderr, new RegExp(`Timed out after 0.2 s waiting for lock .*held by pid ${process.pid}`));
      assert.equal(lab.sluice("program", "list").status, 0);
      assert.equal(lab.sluice("doctor").status, 0);
    }
    await lab.attach(program, "xdp");
  });

  test("65: two at once wait for each other, and both are done", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const main = join(import.meta.dirname, "../../src/cli/main.ts");
    const args = [main, "link", "attach", "xdp", String(program.id), "d0", "-p", "1", "--netns", lab.ns.path];
    const env = { ...process.env, SLUICE_ROOT: lab.root };
    const running = [1, 2, 3].map(() => spawn(process.execPath, args, { env, stdio: "ignore" }));
    const codes = await Promise.all(running.map(async (child) => ((await once(child, "exit")) as [number])[0]));
    assert.deepEqual(codes, [0, 0, 0]);
    assert.deepEqual([lab.order("xdp").length, lab.findings()], [3, []]);
  });

  test("74: an answer that cannot be written is an error", () => {
    using lab = new DispatcherLab();
    const main = join(import.meta.dirname, "../../src/cli/main.ts");
    const full = openSync("/dev/full", "w");
    const env = { ...process.env, SLUICE_ROOT: lab.root };
    const stdio = ["ignore" as const, full, "pipe" as const];
    const { status, stderr } = spawnSync(process.execPath, [main, "program", "list"], { env, stdio, encoding: "utf8" });
    closeSync(full);
    assert.notEqual(status, 0);
    assert.match(stderr, /Cannot write the answer: .*ENOSPC/);
  });

  test("--plan shows what an attach would do, and does nothing", async () => {
    using lab = new DispatcherLab();
    const program = await lab.load("xdp-members", "xdp", "alpha");
    const { status, stdout } = lab.sluice(
      "link",
      "attach",
      "xdp",
      String(program.id),
      "d0",
      "-p",
      "7",
      "--netns",
      lab.ns.path,
      "--plan",
    );
    assert.equal(status, 0);
    assert.match(
      stdout,
      /^\+ dispatcher xdp on d0 revision 1, .*: 0: alpha \(program \d+, priority 7\)\n\+ attach xdp on d0/,
    );
    assert.equal(lab.dispatcher.state().links.size, 0);
  });
});
