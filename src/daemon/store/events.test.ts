import assert from "node:assert/strict";
import { test } from "node:test";
import { TemporaryStore } from "../../../test/helpers/store.ts";
import { transaction } from "../../store/db.ts";
import { add, list } from "./events.ts";

const event = (kind: string) => ({
  time: "2026-01-01T00:00:00.000Z",
  kind,
  severity: "info" as const,
  message: kind,
  details: { n: 1 },
});

test("the last, those after an id, those of a kind; and a bound", () => {
  using store = new TemporaryStore();
  transaction(store.db, () => {
    for (let i = 0; i < 10_200; i += 1) add(store.db, event(i % 2 === 0 ? "even" : "odd"));
  });
  const ids = (query: Parameters<typeof list>[1]): number[] => list(store.db, query).map(({ id }) => id);
  assert.deepEqual(ids({ limit: 3 }), [10_198, 10_199, 10_200]);
  assert.deepEqual(ids({ limit: 2, kind: "even" }), [10_197, 10_199]);
  assert.deepEqual(ids({ after: 10_198, limit: 10 }), [10_199, 10_200]);
  assert.deepEqual(ids({ after: 0, limit: 1 }), [201]);
  assert.deepEqual(list(store.db, { limit: 1 })[0], { id: 10_200, ...event("odd") });
});
