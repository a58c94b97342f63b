import assert from "node:assert/strict";
import { test } from "node:test";
import type { ActionVocabulary } from "./action.ts";
import { type Executor, execute } from "./executor.ts";

interface Step {
  readonly kind: "do" | "undo";
  readonly name: string;
}

const VOCABULARY: ActionVocabulary<Step> = {
  describe: (step) => `${step.kind} ${step.name}`,
  sign: () => "+",
  inverse: (step) => (step.kind === "do" ? [{ kind: "undo", name: step.name }] : []),
};

const plan = (...names: string[]) => ({ actions: names.map((name): Step => ({ kind: "do", name })), warnings: [] });

/** Does everything but the named steps; goes on within a batch after a failure, as the kernel does. */
function recorder(batch: number, failing: readonly string[]): Executor<Step> & { readonly log: string[] } {
  const log: string[] = [];
  return {
    log,
    batch,
    run: (steps) =>
      Promise.resolve(
        steps.map((step) => {
          const text = VOCABULARY.describe(step);
          if (failing.includes(text)) return new Error(`no ${text}`);
          log.push(text);
          return undefined;
        }),
      ),
  };
}

test("execute() does all actions in order and reports progress", async () => {
  const executor = recorder(2, []);
  const progress: string[] = [];
  await execute(plan("a", "b", "c"), VOCABULARY, executor, {
    onProgress: (done, total) => progress.push(`${done}/${total}`),
  });
  assert.deepEqual(executor.log, ["do a", "do b", "do c"]);
  assert.deepEqual(progress, ["2/3", "3/3"]);
});

test("execute() undoes in reverse everything that was done, also what came after the failure in its batch", async () => {
  const executor = recorder(3, ["do b"]);
  await assert.rejects(
    execute(plan("a", "b", "c", "d"), VOCABULARY, executor),
    /"do b": no do b; the 2 actions before it were taken back/,
  );
  assert.deepEqual(executor.log, ["do a", "do c", "undo c", "undo a"]);
});

test("execute() goes on undoing after an undo fails, and hides no failure", async () => {
  const executor = recorder(1, ["do c", "undo b"]);
  const failure = execute(plan("a", "b", "c"), VOCABULARY, executor);
  await assert.rejects(
    failure,
    /"do c": no do c; cannot undo by "undo b": no undo b.*\n.*Run sluice plan to see what is left/,
  );
  assert.deepEqual(executor.log, ["do a", "do b", "undo a"]);
});

test("execute() says which removals are for good, and does not claim that nothing is left", async () => {
  const vocabulary: ActionVocabulary<Step> = {
    ...VOCABULARY,
    sign: ({ name }) => (name === "b" ? "-" : "+"),
    inverse: (step) => (step.name === "b" ? [] : VOCABULARY.inverse(step)),
  };
  await assert.rejects(
    execute(plan("a", "b", "c"), vocabulary, recorder(1, ["do c"])),
    /no do c; "do b" is for good; .*\n.*Run sluice plan to see what is left/,
  );
});

test("execute() takes back what it did when it is interrupted between batches", async () => {
  const executor = recorder(1, []);
  const controller = new AbortController();
  const options = { signal: controller.signal, onProgress: (done: number) => void (done === 2 && controller.abort()) };
  await assert.rejects(execute(plan("a", "b", "c"), VOCABULARY, executor, options), /it was interrupted/);
  assert.deepEqual(executor.log, ["do a", "do b", "undo b", "undo a"]);
});
