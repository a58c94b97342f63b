import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rule.ts";
import { addressBytes } from "../../core/prefix.ts";
import type { PlaneRule } from "../model.ts";
import { KERNEL_ACTIONS, type KernelAction } from "./actions.ts";
import { kindOf, type Row, RULE_KEY } from "./codec.ts";
import { type ObservedKernel, planProgram, planTable, type ProgramState } from "./plan.ts";
import { kernelTable, type KernelTable } from "./table.ts";

const DEVICES = new Map([2, 4, 6].map((ifindex) => [ifindex, { ifindex, name: `in${ifindex}` }]));
const S1 = addressBytes("10.0.0.1");

/** A kernel made of values. */
class FakeKernel implements ObservedKernel {
  readonly programs = new Map<number, ProgramState>();
  readonly inputs = new Map<number, number>();
  readonly rows = new Map<string, Row>();

  do(actions: readonly KernelAction[], check: () => void = () => undefined): void {
    for (const action of actions) {
      this.#do(action);
      check();
    }
  }

  #do(action: KernelAction): void {
    switch (action.kind) {
      case "program.attach":
        this.programs.set(action.device.ifindex, "current");
        break;
      case "program.detach":
        this.programs.delete(action.device.ifindex);
        break;
      case "input.set":
        this.inputs.set(action.ifindex, action.kinds);
        break;
      case "input.delete":
        this.inputs.delete(action.ifindex);
        break;
      case "rows.set":
        for (const row of action.rows) this.rows.set(row.key.toString("hex"), row);
        break;
      case "rows.delete":
        for (const { key } of action.rows) this.rows.delete(key.toString("hex"));
        break;
    }
  }

  get state(): unknown {
    return structuredClone([this.programs, this.inputs, new Map([...this.rows].toSorted())]);
  }

  /** What must hold whatever a run has done so far. */
  check(): void {
    for (const { key } of this.rows.values()) {
      const { ifindex, ...rule } = RULE_KEY.read(key, 0);
      assert.ok((this.inputs.get(ifindex)! & kindOf(rule)) !== 0, `the kinds of ${ifindex} say what its rows are`);
    }
    for (const ifindex of this.programs.keys()) assert.ok(this.inputs.has(ifindex), `${ifindex} is noted`);
  }
}

const tableOf = (...rules: readonly PlaneRule[]): KernelTable =>
  kernelTable(rules.map((rule) => ({ rule, engine: "auto" })));

const planAll = (table: KernelTable, kernel: FakeKernel): KernelAction[] => {
  const scratch = new FakeKernel();
  for (const part of ["programs", "inputs", "rows"] as const)
    for (const [key, value] of kernel[part] as Map<never, never>) (scratch[part] as Map<never, never>).set(key, value);
  const programs = [...table.inputs.keys()].flatMap((ifindex) => planProgram(DEVICES.get(ifindex)!, scratch));
  scratch.do(programs);
  return [...programs, ...planTable(table, scratch, DEVICES)];
};

const text = (actions: readonly KernelAction[]): string[] =>
  actions.map((action) => `${KERNEL_ACTIONS.sign(action)} ${KERNEL_ACTIONS.describe(action)}`);

describe("the kernel plane's plan", () => {
  test("notes the interface, puts the program there, says the kinds, adds rows; and the other way round", () => {
    const kernel = new FakeKernel();
    const first = planAll(tableOf(planeRule("a"), planeRule("b", { source: S1, vlan: 5, port: 0 })), kernel);
    assert.deepEqual(text(first), [
      "+ relay input interface 2 kinds 0",
      "+ relay program dev in2 ingress",
      "~ relay input interface 2 kinds 6",
      "+ relay rows interface 2 239.1.1.1 port 5000 -> 239.2.2.2 port 6000; interface 2 vlan 5 239.1.1.1 port any from 10.0.0.1 -> 239.2.2.2 port 6000",
    ]);
    kernel.do(first);
    const changed = planeRule("a", { outputs: [planeOutput({ port: 0 })] });
    const second = planAll(tableOf(changed), kernel);
    assert.deepEqual(text(second), [
      "~ relay rows interface 2 239.1.1.1 port 5000 -> 239.2.2.2 port kept",
      "- relay rows interface 2 vlan 5 239.1.1.1 port any from 10.0.0.1 -> 239.2.2.2 port 6000",
      "~ relay input interface 2 kinds 4",
    ]);
    kernel.do(second);
    assert.deepEqual(text(planAll(tableOf(), kernel)), [
      "- relay rows interface 2 239.1.1.1 port 5000 -> 239.2.2.2 port kept",
      "- relay program dev in2 ingress",
      "- relay input interface 2 kinds 4",
    ]);
  });

  test("a program of another build is replaced, and one on an interface that is gone is forgotten", () => {
    const kernel = new FakeKernel();
    kernel.do(planAll(tableOf(planeRule("a"), planeRule("b", { ifindex: 4 })), kernel));
    kernel.programs.set(2, "stale");
    assert.deepEqual(text(planAll(tableOf(planeRule("a"), planeRule("b", { ifindex: 4 })), kernel)), [
      "~ relay program dev in2 ingress",
    ]);
    kernel.inputs.set(99, 4);
    assert.deepEqual(text(planTable(tableOf(planeRule("a"), planeRule("b", { ifindex: 4 })), kernel, DEVICES)), [
      "- relay input interface 99 kinds 4",
    ]);
  });

  test("from any rules to any others: nothing is left to do, nothing was wrong in between, and all can be taken back", () => {
    const rule = fc
      .record({
        ifindex: fc.constantFrom(2, 4, 6),
        source: fc.boolean(),
        port: fc.constantFrom(0, 5000),
        vlan: fc.nat(1),
        slot: fc.nat(3),
        capped: fc.boolean(),
      })
      .map(({ source, capped, ...rest }) =>
        planeRule(JSON.stringify([source, rest]), {
          ...rest,
          ...(source && { source: S1 }),
          ...(capped && { cap: { packetsPerSecond: 1 } }),
        }),
      );
    fc.assert(
      fc.property(fc.array(rule), fc.array(rule), (earlier, later) => {
        const kernel = new FakeKernel();
        kernel.do(planAll(tableOf(...earlier), kernel), () => kernel.check());
        const before = kernel.state;
        const table = tableOf(...later);
        const actions = planAll(table, kernel);
        kernel.do(actions, () => kernel.check());
        assert.deepEqual(
          [...kernel.inputs],
          [...kernel.inputs].filter(([ifindex]) => table.inputs.has(ifindex)),
        );
        assert.deepEqual(new Map(kernel.rows), new Map([...table.rows].filter(([key]) => kernel.rows.has(key))));
        assert.equal(kernel.rows.size, table.rows.size);
        assert.deepEqual(planAll(table, kernel), []);
        kernel.do(actions.toReversed().flatMap((action) => KERNEL_ACTIONS.inverse(action)));
        assert.deepEqual(kernel.state, before);
      }),
    );
  });
});
