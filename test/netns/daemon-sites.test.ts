/** Driven sites beside the daemon's keeper and watcher: neither takes live rates for drift, and both hold them. */
import assert from "node:assert/strict";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ProgressJson } from "../../src/api/schemas/system.ts";
import { treeOutput } from "../../src/control/shaper/view.ts";
import { systemClock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { megabits } from "../../src/core/units.ts";
import { Journal } from "../../src/daemon/journal.ts";
import { Keeper, type Look } from "../../src/daemon/keeper.ts";
import { Serial } from "../../src/daemon/serial.ts";
import { Supervisor } from "../../src/daemon/supervisor.ts";
import type { System } from "../../src/daemon/system.ts";
import { Topic } from "../../src/daemon/topic.ts";
import { Watcher } from "../../src/daemon/watcher.ts";
import { FdStore } from "../../src/linux/fd-store.ts";
import { OwnPorts } from "../../src/linux/netlink/ports.ts";
import { Notifier } from "../../src/linux/notify.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { LiveRates } from "../../src/shaper/live-rates.ts";
import { openStore } from "../../src/store/db.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const EXAMPLE = join(import.meta.dirname, "../../examples/isp");

/** A keeper that counts its looks. */
class Counting extends Keeper {
  readonly reasons: string[] = [];

  override reconcile(reason: string): Promise<Look> {
    this.reasons.push(reason);
    return super.reconcile(reason);
  }
}

/** The keeper and the watcher of a daemon in this process, with the example ISP. */
class Kept implements AsyncDisposable {
  readonly lab = new ShapedLab();
  readonly folder = join(this.lab.root, "etc/sluice");
  readonly system: System;
  readonly keeper: Counting;
  readonly watcher: Watcher;
  readonly #supervisor: Supervisor;
  bakeryDrives = false;

  constructor() {
    mkdirSync(this.folder, { recursive: true });
    cpSync(EXAMPLE, this.folder, { recursive: true });
    this.edit("sluice.toml", (text) => text.replace('leaf = "auto"', 'leaf = "fifo"'));
    const paths = pathsBelow(this.lab.root);
    const clock = systemClock;
    const db = openStore(paths.state);
    this.system = {
      place: {
        paths,
        clock,
        config: join(this.folder, "sluice.toml"),
        netns: this.lab.lab.router.path,
        live: new LiveRates(),
      },
      db,
      journal: new Journal(db, clock),
      serial: new Serial(),
      progress: new Topic<ProgressJson>(1),
      ports: new OwnPorts(),
      fds: new FdStore(new Notifier({}), {}),
    };
    this.keeper = new Counting(this.system, {
      adopt: () => undefined,
      bakeryDrives: () => this.bakeryDrives,
      shaped: () => undefined,
      wake: (reason) => this.watcher.wake(reason),
    });
    this.watcher = new Watcher(this.system, this.keeper);
    this.#supervisor = new Supervisor(this.system.journal, clock);
  }

  edit(name: string, change: (text: string) => string): void {
    const path = join(this.folder, name);
    writeFileSync(path, change(readFileSync(path, "utf8")));
  }

  /** Starts both, and waits until the watcher has had its first look. */
  async start(): Promise<void> {
    await this.keeper.start();
    this.#supervisor.start(this.watcher);
    await eventually(() => assert.ok(this.keeper.reasons.length > 0));
    await this.system.serial.idle();
  }

  events(kind: string): number {
    return this.system.journal.events({ limit: 1000, kind }).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#supervisor.stop();
    await this.system.serial.idle();
    this.system.db.close();
    this.lab[Symbol.dispose]();
  }
}

const message = async (promise: Promise<unknown>): Promise<string> => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SluiceError, String(error));
  return error.message;
};

test("a live rate wakes nobody, is no drift, and goes through reload, healing, cleanup and apply", async () => {
  await using kept = new Kept();
  await kept.start();
  const { keeper, watcher, system, lab } = kept;
  using site = keeper.siteTarget("Alder Hill", "download");
  assert.equal(site.observe(), undefined);
  assert.equal(site.absence, "the tree is not in the kernel yet");
  await eventually(() => assert.equal(site.observe()?.rate, 40e6));
  await system.serial.idle();
  const looks = keeper.reasons.length;
  assert.match(keeper.reasons.at(-1)!, /site "Alder Hill" is driven/);

  const seen = watcher.seen;
  for (const mbit of [30, 5, 22]) {
    assert.equal(await site.set(megabits(mbit)), mbit * 1e6);
    site.observe();
  }
  assert.equal(await keeper.reconcile("the test looks"), "calm");
  assert.equal(watcher.seen, seen, "nothing of it was heard");
  assert.deepEqual(keeper.reasons.slice(looks), ["the test looks"]);
  assert.equal(kept.events("drift.found"), 0);
  const inputs = keeper.configuration!.inputs!;
  const { inStep, nodes } = treeOutput(system.place, inputs, false);
  assert.ok(inStep);
  const hill = nodes.find(({ name }) => name === "Alder Hill")!;
  assert.deepEqual([hill.download.ceilBitsPerSecond, hill.download.liveBitsPerSecond], [40e6, 22e6]);
  assert.equal("liveBitsPerSecond" in hill.upload, false);

  kept.edit("ShapedDevices.csv", (text) => text.replace(/^1001,(.*),25,8,$/m, "1001,$1,24,8,"));
  const { summary } = await keeper.reload({ who: "test" });
  assert.ok(summary.change > 0);
  assert.equal(site.observe()?.rate, 22e6);

  const classid = /class (\S+) of/.exec(site.label)![1]!;
  lab.router(`tc class change dev lan0 classid ${classid} htb rate 1mbit ceil 99mbit`);
  assert.equal(site.observe()?.rate, 99e6);
  await eventually(() => assert.equal(kept.events("drift.healed"), 1));
  assert.equal(site.observe()?.rate, 22e6, "the keeper puts the live rate back");
  lab.router("tc qdisc del dev lan0 root");
  await eventually(() => assert.equal(site.observe()?.rate, 22e6));

  await keeper.cleanup({ who: "test" });
  assert.match(
    await message(site.set(megabits(9))),
    /Cannot find site "Alder Hill": shaping was taken away, until apply/,
  );
  await keeper.apply({ who: "test" }, { executor: { kind: "netlink" } });
  assert.equal(site.observe()?.rate, 22e6);
  await site.release();
  assert.equal(site.observe()?.rate, 40e6);
  assert.equal(await keeper.reconcile("the test looks"), "calm");
  assert.equal(treeOutput(system.place, keeper.configuration!.inputs!, false).inStep, true);
});

test("without a tree of its own a site says whose it is", async () => {
  await using kept = new Kept();
  const { keeper } = kept;
  using site = keeper.siteTarget("Alder Hill", "upload");
  using typo = keeper.siteTarget("Alder Hil", "upload");
  assert.match(await message(site.set(megabits(9))), /there is no \[shaper\] in the configuration/);
  await kept.start();
  assert.equal(site.observe()?.rate, 20e6, "known from the first apply on");
  assert.match(await message(typo.set(megabits(9))), /the tree has no node of this name; did you mean "Alder Hill"\?/);
  kept.bakeryDrives = true;
  assert.match(await message(site.set(megabits(9))), /the bakery builds the tree/);
});
