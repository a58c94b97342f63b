import assert from "node:assert/strict";
import { test } from "node:test";
import { TemporaryStore } from "../../../test/helpers/store.ts";
import type { NamedFile } from "../../control/files.ts";
import { filesOf, keep, list, pin, readActive } from "./configurations.ts";

const files = (text: string): NamedFile[] => [
  { role: "sluice.toml", path: "/etc/sluice/sluice.toml", text },
  { role: "devices", path: "/etc/sluice/devices.csv", text: `ü${text}`.repeat(100) },
];

test("a configuration is kept with its files; the same again is the same", () => {
  using store = new TemporaryStore();
  const first = keep(store.db, files("a"), "start", "2026-01-01T00:00:00.000Z");
  assert.deepEqual(keep(store.db, files("a"), "reload", "2026-01-02T00:00:00.000Z"), first);
  const second = keep(store.db, files("b"), "reload", "2026-01-02T00:00:00.000Z");
  assert.deepEqual([first.id, second.id], [1, 2]);
  assert.deepEqual(
    filesOf(store.db, 1).toSorted((x, y) => y.role.localeCompare(x.role)),
    files("a"),
  );
  assert.deepEqual(readActive(store.db), second);
  pin(store.db, 1);
  assert.deepEqual(readActive(store.db), { ...first, pinned: true });
  const rows = list(store.db);
  assert.deepEqual(
    rows.map(({ id, active }) => [id, active]),
    [
      [2, false],
      [1, true],
    ],
  );
  assert.equal(rows[0]!.files.find(({ role }) => role === "devices")!.bytes, 300);
});

test("the oldest go", () => {
  using store = new TemporaryStore();
  for (let i = 1; i <= 60; i += 1) keep(store.db, files(String(i)), "reload", "2026-01-01T00:00:00.000Z");
  const ids = list(store.db).map(({ id }) => id);
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [50, 60, 11]);
  assert.deepEqual(filesOf(store.db, 5), []);
});
