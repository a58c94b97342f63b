import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { applyEdit, circuit, config, edit, facts, ispOf, node, world } from "../../test/helpers/isp.ts";
import { execute } from "../core/executor.ts";
import { major, TC_ROOT } from "../core/tc/handle.ts";
import { sameState } from "../linux/fake/os.ts";
import { SHAPER_ACTIONS, type ShaperAction } from "./actions.ts";
import type { Allocation, Slot } from "./allocation.ts";
import { type Built, buildShaper } from "./build.ts";
import { classidOf, sidesOf } from "./desired.ts";
import { FakeMachine } from "./executors/fake.ts";
import { DIRECTIONS, type Isp, type ShaperConfig } from "./model.ts";
import { MQ_NUMBER } from "./numbers.ts";
import { planCleanup, planShaper } from "./plan.ts";

const NOTHING: Allocation = new Map();
const LINKS: ShaperConfig["link"][] = [
  { kind: "bridge", lan: "lan0", internet: "wan0" },
  { kind: "stick", interface: "stick0", lanVlan: 2, internetVlan: 3 },
];

function machineFor(c: ShaperConfig, queues: number): FakeMachine {
  return new FakeMachine(c.link.kind === "stick" ? { stick0: queues } : { lan0: queues, wan0: queues });
}

function build(isp: Isp, c: ShaperConfig, queues: number, machine: FakeMachine, prior: Allocation): Built {
  return buildShaper({ isp, config: c, facts: facts(queues), prior, observed: machine.observe() });
}

const planOf = (built: Built, machine: FakeMachine) => planShaper(built.desired, machine.observe());

async function applyTo(machine: FakeMachine, built: Built): Promise<readonly ShaperAction[]> {
  const plan = planOf(built, machine);
  await execute(plan, SHAPER_ACTIONS, machine);
  return plan.actions;
}

/** The state is the desired one: a plan from scratch makes the same, but for empty HTBs on queues used no more. */
async function assertReached(machine: FakeMachine, built: Built, fresh: FakeMachine): Promise<void> {
  assert.deepEqual(planOf(built, machine).actions, [], "a second plan is empty");
  await applyTo(fresh, built);
  for (const [name, device] of machine.devices) {
    for (const at of device.qdiscs) {
      const empty =
        at.qdisc.kind === "htb" && !device.classes.some(({ classid }) => major(classid) === major(at.handle));
      if (empty && major(at.parent) === MQ_NUMBER) fresh.devices.get(name)!.addQdisc(at);
    }
    assert.ok(
      sameState(device, fresh.devices.get(name)!),
      [...device.print(), "---", ...fresh.devices.get(name)!.print()].join("\n"),
    );
  }
  assert.deepEqual(machine.hosts, fresh.hosts);
  assert.deepEqual(machine.classifiers, fresh.classifiers);
}

const setting = fc.record({
  link: fc.constantFrom(...LINKS),
  queues: fc.constantFrom(1, 2, 4, 7),
  mode: fc.constantFrom("shape" as const, "shape" as const, "observe" as const),
  leaf: fc.constantFrom({ kind: "fifo" as const }, { kind: "auto" as const }, { kind: "none" as const }),
});

describe("planShaper() safety", () => {
  test("reaches the desired state through any sequence of edits, and then plans nothing", async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        fc.array(edit, { maxLength: 5 }),
        fc.array(setting, { minLength: 1, maxLength: 2 }),
        async (start, edits, settings) => {
          const [{ link, queues }] = settings as [(typeof settings)[0]];
          let machine: FakeMachine | undefined;
          let prior = NOTHING;
          let w = start;
          for (const [i, e] of [undefined, ...edits].entries()) {
            if (e) w = applyEdit(w, e);
            const c = config({ ...settings[i % settings.length]!, link, minimums: "scale" });
            machine ??= machineFor(c, queues);
            const built = build(ispOf(w), c, queues, machine, prior);
            await applyTo(machine, built);
            await assertReached(machine, built, machineFor(c, queues));
            const again = build(ispOf(w), c, queues, machine, built.allocation);
            assert.deepEqual(again.allocation, built.allocation);
            assert.deepEqual(planOf(again, machine).actions, [], "a second plan is empty");
            prior = built.allocation;
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  test("heals from any point at which a run was killed, also when the store was lost", async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        edit,
        setting,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.boolean(),
        async (start, e, s, part, lost) => {
          const c = config({ ...s, minimums: "scale" });
          const machine = machineFor(c, s.queues);
          const first = build(ispOf(start), c, s.queues, machine, NOTHING);
          await applyTo(machine, first);
          const second = build(ispOf(applyEdit(start, e)), c, s.queues, machine, first.allocation);
          const { actions } = planOf(second, machine);
          const outcomes = await machine.run(actions.slice(0, Math.floor(actions.length * part)));
          assert.deepEqual(outcomes.filter(Boolean), []);
          const third = build(ispOf(applyEdit(start, e)), c, s.queues, machine, lost ? NOTHING : second.allocation);
          await applyTo(machine, third);
          await assertReached(machine, third, machineFor(c, s.queues));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a failure at any action takes everything back", async () => {
    await fc.assert(
      fc.asyncProperty(
        world,
        edit,
        setting,
        fc.nat({ max: 200 }),
        fc.constantFrom(1, 3, 64),
        async (start, e, s, failAt, batch) => {
          const c = config({ ...s, minimums: "scale" });
          const machine = machineFor(c, s.queues);
          const first = build(ispOf(start), c, s.queues, machine, NOTHING);
          await applyTo(machine, first);
          const before = machine.observe();
          const second = build(ispOf(applyEdit(start, e)), c, s.queues, machine, first.allocation);
          const plan = planOf(second, machine);
          if (plan.actions.length === 0) return;
          const faulty = machineFor(c, s.queues);
          await applyTo(faulty, first);
          const failing = faultAt(faulty, failAt % plan.actions.length, batch);
          await assert.rejects(execute(plan, SHAPER_ACTIONS, failing), /were taken back/);
          const after = faulty.observe();
          for (const [name, device] of before.devices) {
            assert.deepEqual(sorted(after.devices.get(name)!.qdiscs), sorted(device.qdiscs));
            assert.deepEqual(sorted(after.devices.get(name)!.classes), sorted(device.classes));
          }
          assert.deepEqual(new Map([...after.hosts!].toSorted()), new Map([...before.hosts!].toSorted()));
        },
      ),
      { numRuns: 100 },
    );
  });
});

const sorted = <T>(list: readonly T[]): T[] =>
  list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));

/** The machine with a fault at one action of the next plan. */
function faultAt(machine: FakeMachine, index: number, batch: number) {
  let count = 0;
  let armed = true;
  return {
    batch,
    async run(actions: readonly ShaperAction[]) {
      const outcomes = [];
      for (const action of actions) {
        if (armed && count++ === index) {
          armed = false;
          outcomes.push(new Error("injected fault"));
          break;
        }
        outcomes.push(...(await machine.run([action])));
      }
      return outcomes;
    },
  };
}

const place = ({ queue, parent, number }: Slot) => ({ queue, parent, number });

describe("buildShaper() keeps its promises", () => {
  test("ids never collide, and where the tree fits into HTB never move because a neighbour came or went", () => {
    fc.assert(
      fc.property(world, fc.array(edit, { minLength: 1, maxLength: 6 }), setting, (start, edits, s) => {
        const c = config({ ...s, minimums: "scale" });
        const machine = machineFor(c, s.queues);
        let before = build(ispOf(start), c, s.queues, machine, NOTHING);
        let w = start;
        for (const e of edits) {
          w = applyEdit(w, e);
          const after = build(ispOf(w), c, s.queues, machine, before.allocation);
          const numbers = [...after.allocation.values()].map((slot) => slot.number);
          assert.equal(new Set(numbers).size, numbers.length);
          const { sides } = sidesOf(c, facts(s.queues));
          const ids = sides.flatMap((side) =>
            [...after.allocation.values()].map((slot) => `${side.device} ${classidOf(side, slot)}`),
          );
          assert.equal(new Set(ids).size, ids.length);
          // Which nodes of a tree that is too deep are folded depends on which of them have circuits.
          const fits = [before, after].every(({ warnings }) =>
            warnings.every(({ code }) => code !== "SHAPER_TREE_FOLDED" && code !== "SHAPER_TREE_FLATTENED"),
          );
          if (fits && (e.kind === "rate" || e.kind === "add" || e.kind === "remove")) {
            for (const [key, slot] of before.allocation) {
              if (after.allocation.has(key)) assert.deepEqual(place(after.allocation.get(key)!), place(slot), key);
            }
          }
          before = after;
        }
      }),
      { numRuns: 150 },
    );
  });

  test("minimums hold at every level: rates of siblings never exceed the parent's, nor rate its ceil", () => {
    fc.assert(
      fc.property(world, setting, (w, s) => {
        const c = config({ ...s, mode: "shape", minimums: "scale" });
        const { desired } = build(ispOf(w), c, s.queues, machineFor(c, s.queues), NOTHING);
        for (const device of desired.devices) {
          const byParent = Map.groupBy(device.classes, (at) => at.parent);
          for (const at of device.classes) {
            assert.ok(at.htb.rate <= at.htb.ceil, `rate ${at.htb.rate} above ceil ${at.htb.ceil}`);
            const below = byParent.get(at.classid) ?? [];
            const sum = below.reduce((total, child) => total + child.htb.rate, 0);
            assert.ok(sum <= at.htb.rate, `${sum} below a class of ${at.htb.rate}`);
            for (const child of below) assert.ok(child.htb.ceil <= at.htb.ceil);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("planShaper() touches only what changed", () => {
  const isp: Isp = {
    nodes: [node("A", 100, [node("A1", 50)]), node("B", 80)],
    circuits: [
      circuit("c1", "A1", 10, { address: "100.64.0.1" }),
      circuit("c2", "A", 20, { address: "100.64.0.2" }),
      circuit("c3", "B", 30, { address: "100.64.0.3" }),
      circuit("c4", undefined, 5, { address: "100.64.0.4" }),
    ],
  };
  const withCircuits = (...circuits: Isp["circuits"]): Isp => ({ ...isp, circuits });

  async function started() {
    const c = config();
    const machine = machineFor(c, 4);
    const built = build(isp, c, 4, machine, NOTHING);
    await applyTo(machine, built);
    return { c, machine, built };
  }

  const kinds = (actions: readonly ShaperAction[]): string[] => actions.map((action) => action.kind);

  test("one plan changed: its two classes and their fifos' limits, in place", async () => {
    const { c, machine, built } = await started();
    const edited = withCircuits(
      isp.circuits[0]!,
      circuit("c2", "A", 25, { address: "100.64.0.2" }),
      ...isp.circuits.slice(2),
    );
    const actions = planOf(build(edited, c, 4, machine, built.allocation), machine).actions;
    assert.deepEqual(kinds(actions), ["class.change", "qdisc.change", "class.change", "qdisc.change"]);
  });

  test("one circuit added: its classes, leaves and row; removed: the same backwards", async () => {
    const { c, machine, built } = await started();
    const more = build(
      withCircuits(...isp.circuits, circuit("c5", "B", 8, { address: "100.64.0.5" })),
      c,
      4,
      machine,
      built.allocation,
    );
    const added = await applyTo(machine, more);
    assert.deepEqual(kinds(added), ["class.add", "qdisc.add", "class.add", "qdisc.add", "hosts.set"]);
    const less = build(isp, c, 4, machine, more.allocation);
    const removed = await applyTo(machine, less);
    assert.deepEqual(kinds(removed), ["hosts.delete", "qdisc.delete", "class.delete", "qdisc.delete", "class.delete"]);
  });

  test("one circuit moved: new classes first, then its row, then the old classes", async () => {
    const { c, machine, built } = await started();
    const moved = build(
      withCircuits(circuit("c1", "B", 10, { address: "100.64.0.1" }), ...isp.circuits.slice(1)),
      c,
      4,
      machine,
      built.allocation,
    );
    assert.deepEqual(kinds(await applyTo(machine, moved)), [
      "class.add",
      "qdisc.add",
      "class.add",
      "qdisc.add",
      "hosts.set",
      "qdisc.delete",
      "class.delete",
      "qdisc.delete",
      "class.delete",
    ]);
  });

  test("an HTB on a queue that is used no more is emptied and stays, also when it was added and is taken back", async () => {
    const { c, machine, built } = await started();
    const lan = machine.devices.get("lan0")!;
    const htbs = () => lan.qdiscs.filter((at) => at.qdisc.kind === "htb").map((at) => at.handle);
    const before = htbs();
    assert.equal(before.length, 4);
    const fewer = build(isp, { ...c, queues: 2 }, 4, machine, built.allocation);
    await applyTo(machine, fewer);
    assert.deepEqual(htbs(), before);
    assert.equal(new Set(lan.classes.map(({ classid }) => major(classid))).size, 2);
    assert.deepEqual(planOf(fewer, machine).actions, []);

    const fresh = machineFor(c, 4);
    const two = build(isp, { ...c, queues: 2 }, 4, fresh, NOTHING);
    await applyTo(fresh, two);
    const plan = planOf(build(isp, c, 4, fresh, two.allocation), fresh);
    await assert.rejects(execute(plan, SHAPER_ACTIONS, faultAt(fresh, plan.actions.length - 1, 64)), /were taken back/);
    const left = fresh.devices.get("lan0")!;
    assert.equal(left.qdiscs.filter((at) => at.qdisc.kind === "htb").length, 4);
    assert.equal(new Set(left.classes.map(({ classid }) => major(classid))).size, 2);
  });

  test("cleanup removes what is ours and nothing else", async () => {
    const { machine } = await started();
    machine.devices.get("wan0")!.deleteQdisc(machine.devices.get("wan0")!.qdiscs.find((at) => at.parent === TC_ROOT)!);
    machine.devices
      .get("wan0")!
      .addQdisc({ handle: 0x50000 as never, parent: TC_ROOT, qdisc: { kind: "pfifo", limit: 9 } });
    const plan = planCleanup(machine.observe());
    await execute(plan, SHAPER_ACTIONS, machine);
    assert.deepEqual(machine.devices.get("lan0")!.print(), []);
    assert.deepEqual(machine.devices.get("wan0")!.print(), ["qdisc add dev wan0 root handle 5: pfifo limit 9"]);
  });
});

test("every side of a stick has handles of its own", () => {
  const c = config({ link: LINKS[1]! });
  const isp: Isp = { nodes: [], circuits: [circuit("x", undefined, 10), circuit("y", undefined, 10)] };
  for (const queues of [1, 4]) {
    const { desired } = build(isp, c, queues, machineFor(c, queues), NOTHING);
    const [device] = desired.devices;
    const handles = device!.qdiscs.map((at) => major(at.handle));
    assert.equal(new Set(handles).size, handles.length);
    assert.equal(desired.devices.length, 1);
    assert.deepEqual(DIRECTIONS.length, 2);
  }
});
