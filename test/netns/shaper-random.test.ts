/**
 * Random ISPs and random edits on the real kernel: after every apply a second plan is empty, and the kernel holds what a
 * build from nothing with the same ids makes. Bounded by time; a failure prints the seed.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { major } from "../../src/core/tc/handle.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import type { Link, ObservedDevice, ShaperConfig } from "../../src/shaper/model.ts";
import { planShaper } from "../../src/shaper/plan.ts";
import { applyEdit, edit, ispOf, world } from "../helpers/isp.ts";
import { ShapedLab } from "../helpers/shaper.ts";

const MILLISECONDS = 5000;
const QUEUES = 4;
const LINKS: readonly Link[] = [
  { kind: "bridge", lan: "lan0", internet: "wan0" },
  { kind: "stick", interface: "lan0", lanVlan: 2, internetVlan: 3 },
];

const settings: fc.Arbitrary<Partial<ShaperConfig>> = fc.record({
  queues: fc.constantFrom(1, 2, QUEUES, QUEUES),
  mode: fc.constantFrom("shape" as const, "shape" as const, "shape" as const, "observe" as const),
  leaf: fc.constantFrom({ kind: "fifo" as const }, { kind: "fifo" as const }, { kind: "none" as const }),
});
const step = fc.record({
  edit,
  settings,
  executor: fc.constantFrom({ kind: "netlink" as const }, { kind: "tc" as const }),
  /** The state database is lost now and then: ids may move, nothing else may suffer. */
  lost: fc.nat({ max: 7 }).map((n) => n === 0),
});

const texts = (values: readonly unknown[]): string[] => values.map((value) => JSON.stringify(value)).toSorted();

/** What a device holds, in an order of its own; empty HTBs on queues that are used no more stay and do not count. */
function held({ qdiscs, classes, classifier }: ObservedDevice) {
  const empty = ({ handle, qdisc }: (typeof qdiscs)[number]): boolean =>
    qdisc.kind === "htb" && !classes.some(({ classid }) => major(classid) === major(handle));
  return { qdiscs: texts(qdiscs.filter((at) => !empty(at))), classes: texts(classes), classifier };
}

const heldBy = (lab: ShapedLab) => {
  const { devices, hosts } = lab.shaper.fetch();
  return {
    devices: [...devices.values()].map((device) => held(device)),
    hosts: texts([...(hosts ?? []).values()].map(({ prefix, target }) => [prefix.key, target])),
  };
};

async function wipe(lab: ShapedLab): Promise<void> {
  await lab.shaper.removeAll();
  rmSync(dirname(pathsBelow(lab.root).state), { recursive: true, force: true });
}

for (const link of LINKS) {
  test(`on a ${link.kind} any edits, by netlink and by tc, lead where a build from nothing leads`, async () => {
    using lab = new ShapedLab({ queues: QUEUES, config: { link, minimums: "scale" } });
    using fresh = new ShapedLab({ queues: QUEUES, config: { link, minimums: "scale" } });
    const deadline = performance.now() + MILLISECONDS;
    let runs = 0;
    await fc.assert(
      fc.asyncProperty(world, fc.array(step, { minLength: 1, maxLength: 5 }), async (start, steps) => {
        // Runs after the deadline are over at once. Interrupting one would leave it at work on a lab that is gone.
        if (performance.now() > deadline) return;
        await wipe(lab);
        let now = start;
        for (const { edit: change, settings: overrides, executor, lost } of steps) {
          if (lost) rmSync(dirname(pathsBelow(lab.root).state), { recursive: true, force: true });
          now = applyEdit(now, change);
          const isp = ispOf(now);
          await lab.apply(isp, overrides, { executor });
          assert.deepEqual(lab.plan(isp, overrides), [], "a second plan is empty");
          const plan = lab.shaper.plan(isp, { ...lab.config, ...overrides });
          await wipe(fresh);
          const { actions } = planShaper(plan.built.desired, fresh.shaper.fetch());
          await fresh.shaper.apply({ ...plan, actions }, { kind: "netlink" });
          assert.deepEqual(heldBy(lab), heldBy(fresh));
        }
        runs += 1;
      }),
      { numRuns: 1000 },
    );
    assert.ok(runs > 0, "not a single run came to its end in time");
  });
}
