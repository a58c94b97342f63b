import assert from "node:assert/strict";
import { test } from "node:test";
import { openStore } from "../../store/db.ts";
import { list, put, remove } from "./relay-rules.ts";

test("rules are kept by their ids until they are removed", () => {
  using db = openStore(":memory:");
  const rule = { id: "b", interface: "eth0", group: "239.1.1.1", port: 5000, outputs: [{ interface: "eth1" }] };
  const now = "2026-01-01T00:00:00.000Z";
  put(db, rule, now);
  put(db, { ...rule, id: "a" }, now);
  put(db, { ...rule, port: 6000 }, now);
  assert.deepEqual(
    list(db).map(({ id, port }) => [id, port]),
    [
      ["a", 5000],
      ["b", 6000],
    ],
  );
  assert.equal(remove(db, "a"), true);
  assert.equal(remove(db, "a"), false);
  assert.deepEqual(list(db), [{ ...rule, port: 6000 }]);
});
