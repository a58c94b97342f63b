import assert from "node:assert/strict";
import { test } from "node:test";
import { TemporaryStore } from "../../../test/helpers/store.ts";
import { add, get, list } from "./plans.ts";

const PLAN = {
  time: "2026-01-01T00:00:00.000Z",
  who: "reload",
  domain: "shaper",
  configuration: 7,
  summary: { add: 600, change: 0, remove: 1 },
  result: "applied",
  milliseconds: 12,
} as const;

test("plans are kept with the first of their actions, and bounded", () => {
  using store = new TemporaryStore();
  const actions = Array.from({ length: 601 }, (_, i) => ({
    sign: "+" as const,
    kind: "class.add",
    text: `class ${i}`,
  }));
  const id = add(store.db, PLAN, actions);
  const kept = get(store.db, id)!;
  assert.deepEqual(kept.plan, { id, ...PLAN });
  assert.equal(kept.actions.length, 500);
  assert.equal(kept.omitted, 101);
  add(store.db, { ...PLAN, configuration: null, result: "failed", reason: "no room" }, []);
  assert.deepEqual(
    list(store.db, 10).map(({ result, reason, configuration }) => [result, reason, configuration]),
    [
      ["failed", "no room", null],
      ["applied", undefined, 7],
    ],
  );
  for (let i = 0; i < 1000; i += 1) add(store.db, PLAN, []);
  assert.equal(get(store.db, id), undefined);
  assert.equal(list(store.db, 5000).length, 1000);
});
