/** Random sequences of load, attach, detach and unload against the fake kernel, and a model that is a sorted list. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Bindings } from "../core/binding.ts";
import { execute } from "../core/executor.ts";
import type { Plan } from "../core/plan.ts";
import { type DispatcherAction, DISPATCHER_ACTIONS } from "./actions.ts";
import { examine } from "./doctor.ts";
import { FAKE_NSID, FakeKernel } from "./executors/fake.ts";
import { type DispatcherKey, HOOK_NAMES, keyText, type MemberLink, membersOf, SLOTS } from "./model.ts";
import { planDispatcherAttach } from "./plan/attach.ts";
import { planDetach, planUnload } from "./plan/detach.ts";
import { planHeal } from "./plan/heal.ts";
import { type ObjectFacts, planLoad } from "./plan/load.ts";
import { assemble } from "./plan/segment.ts";
import { DEFAULT_PROCEED_ON, proceedOnMask } from "./proceed-on.ts";

const NOW = "2026-01-01T00:00:00Z";
const INPUTS = { engine: "fused", now: NOW } as const;
const NAMES = ["alpha", "beta", "gamma"];
const FACTS: ObjectFacts = {
  digest: "0".repeat(64),
  license: "GPL",
  programs: [
    ...NAMES.map((name) => ({ name: `xdp_${name}`, section: "xdp", frags: false })),
    ...NAMES.map((name) => ({ name: `tc_${name}`, section: "tc", frags: false })),
  ],
  maps: [],
  tailCalls: false,
  globals: new Map(),
};

/** A step, with numbers that pick among what is there. */
type Step =
  | { readonly do: "load"; readonly type: "xdp" | "tc"; readonly name: number }
  | {
      readonly do: "attach";
      readonly program: number;
      readonly hook: number;
      readonly ifindex: number;
      readonly priority: number;
    }
  | { readonly do: "detach" | "unload"; readonly which: number };

const pick = fc.nat({ max: 1000 });
const steps = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant("load" as const),
        type: fc.constantFrom("xdp" as const, "tc" as const),
        name: fc.nat({ max: 2 }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant("attach" as const),
        program: pick,
        hook: fc.nat({ max: 2 }),
        ifindex: fc.integer({ min: 1, max: 3 }),
        priority: fc.constantFrom(0, 10, 10, 50),
      }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom("detach" as const, "unload" as const), which: pick }) },
  ),
  { maxLength: 40 },
);

const keyOf = (hook: number, ifindex: number): DispatcherKey => ({ hook: HOOK_NAMES[hook]!, nsid: FAKE_NSID, ifindex });

/** The plan of a step; undefined when there is nothing to pick, or the planner refuses. */
function planOf(kernel: FakeKernel, step: Step): Plan<DispatcherAction> | undefined {
  const { state } = kernel;
  const programs = [...state.programs.values()];
  switch (step.do) {
    case "load": {
      const name = `${step.type}_${NAMES[step.name]!}`;
      const request = {
        label: "x.o",
        source: { kind: "file" as const, path: "/x.o" },
        programs: [{ type: step.type, name }],
        globals: {},
        metadata: {},
      };
      return assemble([planLoad(request, FACTS, state, NOW)]);
    }
    case "attach": {
      const key = keyOf(step.hook, step.ifindex);
      const family = key.hook === "xdp" ? "xdp" : "tc";
      const fitting = programs.filter(({ type }) => type === family);
      const program = fitting[step.program % (fitting.length || 1)];
      if (!program) return undefined;
      const snapshot = kernel.snapshot([key]);
      const attach = {
        key,
        program,
        device: `eth${key.ifindex}`,
        priority: step.priority,
        proceedOn: DEFAULT_PROCEED_ON[family],
        metadata: {},
      };
      if (membersOf(state, key).length === SLOTS) {
        assert.throws(
          () => planDispatcherAttach(attach, { ...INPUTS, state, hook: snapshot.hooks.get(keyText(key))! }),
          {
            code: "DISPATCHER_FULL",
          },
        );
        return undefined;
      }
      return assemble([planDispatcherAttach(attach, { ...INPUTS, state, hook: snapshot.hooks.get(keyText(key))! })]);
    }
    case "detach": {
      const links = [...state.links.values()];
      const link = links[step.which % (links.length || 1)];
      return link && assemble(planDetach([link], { ...INPUTS, snapshot: kernel.snapshot() }));
    }
    case "unload": {
      const program = programs[step.which % (programs.length || 1)];
      return program && assemble(planUnload([program.id], { ...INPUTS, snapshot: kernel.snapshot() }));
    }
  }
}

async function carryOut(kernel: FakeKernel, plan: Plan<DispatcherAction>): Promise<void> {
  kernel.bindings = new Bindings();
  await execute(plan, DISPATCHER_ACTIONS, kernel);
}

const heal = (kernel: FakeKernel): Plan<DispatcherAction> =>
  assemble(Object.values(planHeal({ ...INPUTS, snapshot: kernel.snapshot() })).flat());

/** What the kernel holds, comparable. */
const kernelText = (kernel: FakeKernel): string =>
  JSON.stringify([
    [...kernel.programs].toSorted(([a], [b]) => a - b),
    // The number of a hook's link is another after it was put back.
    [...kernel.pins]
      .map(([path, id]) => [path, path.endsWith("_link") ? 0 : id] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    [...kernel.hooks].map(([text, { programId, via }]) => [text, programId, via]).toSorted(),
  ]);

/** Everything that must hold whenever nothing is under way. */
function check(kernel: FakeKernel): void {
  const { state } = kernel;
  for (const { key, revision } of state.dispatchers.values()) {
    const members = membersOf(state, key);
    assert.ok(members.length > 0 && members.length <= SLOTS);
    assert.ok(revision > 0);
    assert.deepEqual(
      members.map(({ details }) => details.position),
      members.map((_, rank) => rank),
      "positions are ranks",
    );
    for (const { details } of members) {
      const mask = proceedOnMask(key.hook === "xdp" ? "xdp" : "tc", details.proceedOn);
      assert.equal(mask, key.hook === "xdp" ? 0x80000004 : 0x80000010);
    }
  }
  assert.deepEqual(heal(kernel).actions, [], "there is nothing to heal");
  assert.deepEqual(examine(kernel.snapshot()), [], "the doctor is content");
  const explained = state.programs.size + state.dispatchers.size;
  assert.equal(kernel.programs.size, explained, "every program in the kernel is explained by the store");
}

test("whatever is loaded, attached, detached and unloaded, order is that of a sorted list, and nothing is left over", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (sequence) => {
      const kernel = new FakeKernel();
      // The model: for each hook the members, each change sorted anew with the newcomer before its equals.
      const model = new Map<string, { id: number; name: string; priority: number }[]>();
      for (const step of sequence) {
        const before = kernel.state;
        const plan = planOf(kernel, step);
        if (!plan) continue;
        await carryOut(kernel, plan);
        check(kernel);
        for (const [text, members] of model)
          model.set(
            text,
            members.filter(({ id }) => kernel.state.links.has(id)),
          );
        if (step.do === "attach") {
          const text = keyText(keyOf(step.hook, step.ifindex));
          const link = kernel.state.links.get(before.nextLinkId) as MemberLink;
          const name = kernel.state.programs.get(link.programId)!.name;
          const rest = (model.get(text) ?? []).toSorted(
            (a, b) => a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : b.id - a.id),
          );
          const at = rest.findIndex(({ priority }) => priority >= step.priority);
          rest.splice(at < 0 ? rest.length : at, 0, { id: link.id, name, priority: step.priority });
          model.set(text, rest);
        }
        for (const dispatcher of kernel.state.dispatchers.values()) {
          const text = keyText(dispatcher.key);
          const ids = membersOf(kernel.state, dispatcher.key).map(({ id }) => id);
          const wanted = model.get(text) ?? [];
          // A rebuild without a newcomer on that hook sorts equals by name.
          const rebuilt = before.dispatchers.get(text)?.revision !== dispatcher.revision;
          if (rebuilt && step.do !== "attach")
            wanted.sort(
              (a, b) => a.priority - b.priority || (a.name < b.name ? -1 : a.name > b.name ? 1 : b.id - a.id),
            );
          assert.deepEqual(
            ids,
            wanted.map(({ id }) => id),
          );
          const earlier = before.dispatchers.get(text);
          if (rebuilt) assert.equal(dispatcher.revision, (earlier?.revision ?? 0) + 1, "revisions count up");
        }
      }
    }),
    { numRuns: 200 },
  );
});

test("a failure at any action leaves the kernel and the store as they were", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat({ max: 6 }), async (sequence, failIn) => {
      const kernel = new FakeKernel();
      for (const [i, step] of sequence.entries()) {
        const plan = planOf(kernel, step);
        if (!plan) continue;
        const commit = plan.actions.findIndex(({ kind }) => kind === "store.commit");
        if (i === sequence.length - 1 && failIn <= commit) {
          const before = kernelText(kernel);
          const { state } = kernel;
          kernel.bindings = new Bindings();
          // The action itself fails once; what takes it back works.
          const failing = {
            batch: 1,
            run: (actions: readonly DispatcherAction[]) => {
              const result = kernel.run(actions);
              kernel.failIn = kernel.failIn !== undefined && kernel.failIn < 0 ? undefined : kernel.failIn;
              return result;
            },
          };
          kernel.failIn = failIn;
          await assert.rejects(execute(plan, DISPATCHER_ACTIONS, failing), { code: "APPLY_ROLLED_BACK" });
          kernel.failIn = undefined;
          assert.equal(kernel.state, state);
          assert.equal(kernelText(kernel), before);
          // A hook that was taken down and put back has a holder of another number, which the next heal writes down.
          await carryOut(kernel, heal(kernel));
          check(kernel);
        } else {
          await carryOut(kernel, plan);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("a run that dies at any action is healed by the next, and the doctor finds nothing then", async () => {
  await fc.assert(
    fc.asyncProperty(steps, fc.nat({ max: 8 }), async (sequence, dieAt) => {
      const kernel = new FakeKernel();
      for (const step of sequence) {
        const plan = planOf(kernel, step);
        if (!plan) continue;
        kernel.bindings = new Bindings();
        for (const action of plan.actions.slice(0, dieAt)) await kernel.run([action]);
        const { state } = kernel;
        await carryOut(kernel, heal(kernel));
        assert.deepEqual(
          new Set(kernel.state.links.keys()),
          new Set(state.links.keys()),
          "no link of the store is lost",
        );
        check(kernel);
      }
    }),
    { numRuns: 200 },
  );
});
