import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import type { BakeryCommand } from "./model.ts";
import { BakeryQueue } from "./queue.ts";

const command = (name: string): BakeryCommand => ({ kind: "ExecuteTCCommands", commands: [name], forceMode: false });
const nameOf = (of: BakeryCommand): string => (of.kind === "ExecuteTCCommands" ? of.commands[0]! : of.kind);

/** A queue whose commands end when they are told to, with what they did in their order. */
function controlled(bound?: number) {
  const log: string[] = [];
  const ends = new Map<string, (error?: Error) => void>();
  const failures: string[] = [];
  const queue = new BakeryQueue({
    carryOut: (of) =>
      new Promise((resolve, reject) => {
        log.push(nameOf(of));
        ends.set(nameOf(of), (error) => (error ? reject(error) : resolve()));
      }),
    failed: (of, error) => failures.push(`${nameOf(of)}: ${(error as Error).message}`),
    ...(bound !== undefined && { bound }),
  });
  const end = async (name: string, error?: Error): Promise<void> => {
    for (let turn = 0; turn < 10 && !ends.has(name); turn += 1) await Promise.resolve();
    ends.get(name)!(error);
  };
  return { queue, log, end, failures };
}

describe("BakeryQueue", () => {
  test("carries out one at a time, in order, and answers each when it has been done", async () => {
    const { queue, log, end } = controlled();
    const answered: string[] = [];
    const all = ["a", "b", "c"].map((name) => queue.submit(command(name)).then(() => answered.push(name)));
    assert.equal(queue.waiting, 2);
    for (const [i, name] of ["a", "b", "c"].entries()) {
      await end(name);
      assert.deepEqual(log.slice(0, i + 1), ["a", "b", "c"].slice(0, i + 1));
    }
    await Promise.all(all);
    assert.deepEqual([answered, queue.waiting], [["a", "b", "c"], 0]);
  });

  test("one that fails is answered with its failure, and the next are carried out", async () => {
    const { queue, end } = controlled();
    const [first, second] = [queue.submit(command("a")), queue.submit(command("b"))];
    await end("a", new Error("no such device"));
    await assert.rejects(first, /no such device/);
    await end("b");
    await second;
  });

  test("a full queue answers busy at once, and takes more when one has been begun", async () => {
    const { queue, end } = controlled(2);
    const taken = ["a", "b", "c"].map((name) => queue.submit(command(name)));
    await assert.rejects(queue.submit(command("d")), { code: "BAKERY_BUSY", message: /2 commands wait/ });
    await end("a");
    await taken[0];
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    const fourth = queue.submit(command("d"));
    for (const name of ["b", "c", "d"]) await end(name);
    await Promise.all([...taken, fourth]);
  });

  test("who does not wait is answered at once, and failures are heard of elsewhere", async () => {
    const { queue, log, end, failures } = controlled();
    await queue.submit(command("a"), { wait: false });
    await queue.submit(command("b"), { wait: false });
    await end("a", new Error("refused"));
    await end("b");
    await queue.drain();
    assert.deepEqual([log, failures], [["a", "b"], ["a: refused"]]);
  });

  test("whatever the commands do, each is answered and their order is that in which they came", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ fails: fc.boolean(), turns: fc.nat(5) }), { maxLength: 40 }),
        async (plan) => {
          const done: number[] = [];
          const queue = new BakeryQueue({
            carryOut: async (of) => {
              const at = Number(nameOf(of));
              for (let turn = 0; turn < plan[at]!.turns; turn += 1) await Promise.resolve();
              done.push(at);
              if (plan[at]!.fails) throw new Error("fails");
            },
            failed: () => assert.fail("everybody waits"),
          });
          const answers = await Promise.allSettled(plan.map((_, at) => queue.submit(command(String(at)))));
          assert.deepEqual(
            answers.map(({ status }) => status === "rejected"),
            plan.map(({ fails }) => fails),
          );
          assert.deepEqual([done, queue.waiting], [plan.map((_, at) => at), 0]);
        },
      ),
    );
  });
});
