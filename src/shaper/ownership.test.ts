/** Other people's things, and what an earlier run or configuration left, as the planner meets them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { circuit, config, facts } from "../../test/helpers/isp.ts";
import { execute } from "../core/executor.ts";
import { handle, TC_CLSACT, TC_ROOT } from "../core/tc/handle.ts";
import { SHAPER_ACTIONS } from "./actions.ts";
import { type Built, buildShaper } from "./build.ts";
import { FakeMachine } from "./executors/fake.ts";
import type { Isp } from "./model.ts";
import { MQ_NUMBER } from "./numbers.ts";
import { planCleanup, planShaper } from "./plan.ts";

const ISP: Isp = { nodes: [], circuits: [circuit("c1", undefined, 10, { address: "100.64.0.1" })] };
const newMachine = (): FakeMachine => new FakeMachine({ lan0: 4, wan0: 4 });

const build = (machine: FakeMachine): Built =>
  buildShaper({ isp: ISP, config: config(), facts: facts(4), prior: new Map(), observed: machine.observe() });
const planOf = (built: Built, machine: FakeMachine) => planShaper(built.desired, machine.observe());

async function started() {
  const machine = newMachine();
  const built = build(machine);
  await execute(planOf(built, machine), SHAPER_ACTIONS, machine);
  return { machine, built };
}

describe("a plan names and leaves", () => {
  test("a foreign root qdisc is refused, and replaced only when told to", async () => {
    const machine = newMachine();
    machine.devices.get("lan0")!.addQdisc({ handle: handle(1), parent: TC_ROOT, qdisc: { kind: "htb", default: 1 } });
    const built = build(machine);
    assert.throws(
      () => planOf(built, machine),
      /lan0 has the root qdisc htb 1:, which sluice did not make \[FOREIGN_QDISC\]/,
    );
    const plan = planShaper(built.desired, machine.observe(), { replaceForeign: true });
    await execute(plan, SHAPER_ACTIONS, machine);
    assert.deepEqual(planOf(built, machine).actions, []);
  });

  test("somebody's qdisc below our mq is named, and cleanup refuses to take it along", async () => {
    const { machine, built } = await started();
    const lan = machine.devices.get("lan0")!;
    lan.deleteQdisc(lan.qdiscs.find((at) => at.parent === handle(MQ_NUMBER, 2))!);
    lan.addQdisc({ handle: handle(9), parent: handle(MQ_NUMBER, 2), qdisc: { kind: "pfifo", limit: 9 } });
    const named = /lan0 has the qdisc pfifo 9: on a transmit queue .*\n.*tc qdisc del dev lan0 parent 7fff:2/;
    assert.throws(() => planOf(built, machine), named);
    assert.throws(() => planCleanup(machine.observe()), named);
  });

  test("an ingress qdisc is refused before anything is changed: clsact cannot stand beside it", () => {
    const machine = newMachine();
    machine.devices.get("wan0")!.addQdisc({ handle: handle(0xffff), parent: TC_CLSACT, qdisc: { kind: "ingress" } });
    const built = build(machine);
    assert.throws(() => planOf(built, machine), /wan0: a "ingress" qdisc already occupies .*\[FOREIGN_INGRESS\]/);
  });

  test("a device that an earlier configuration left is an error, but not for those who only compare", async () => {
    const { machine, built } = await started();
    const observed = { ...machine.observe(), elsewhere: ["old0"] };
    assert.throws(() => planShaper(built.desired, observed), /Interface old0 still holds .*\[LINK_LEFT\]/);
    assert.deepEqual(planShaper(built.desired, observed, { regardless: true }).actions, []);
  });

  test("cleanup detaches a classifier that is of no use any more", async () => {
    const { machine } = await started();
    const observed = machine.observe();
    const { classifier: _, ...lan } = observed.devices.get("lan0")!;
    const devices = new Map([...observed.devices, ["lan0", { ...lan, staleClassifier: true as const }]]);
    assert.deepEqual(planCleanup({ ...observed, devices }).actions[0], { kind: "classifier.detach", dev: "lan0" });
  });
});
