import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Allocation, type Slot } from "./allocation.ts";
import { readSlots, writeSlots } from "./slots.ts";
import { bitsPerSecond } from "../core/units.ts";
import { openStore } from "../store/db.ts";

function scratch(t: { after(fn: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), "sluice-store-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return join(dir, "deep/state.db");
}

const slot = (number: number, grant?: number): Slot => ({
  queue: 1,
  parent: 0,
  number,
  ...(grant !== undefined && { grant: { download: bitsPerSecond(grant), upload: bitsPerSecond(grant) } }),
});

test("slots are read back as they were written, changed and removed", (t) => {
  const file = scratch(t);
  const first: Allocation = new Map([
    ["node:a", slot(1024, 5e9)],
    ["circuit:1", slot(1025)],
  ]);
  const second: Allocation = new Map([
    ["node:a", slot(1024, 6e9)],
    ["circuit:2", slot(1026)],
  ]);
  using db = openStore(file);
  writeSlots(db, new Map(), first);
  assert.deepEqual(new Map([...readSlots(db)].toSorted()), new Map([...first].toSorted()));
  writeSlots(db, first, second);
  db.close();
  using again = openStore(file);
  assert.deepEqual(new Map([...readSlots(again)].toSorted()), new Map([...second].toSorted()));
});

test("a database from a newer version, an edited migration and a broken file are refused with the file's name", (t) => {
  const file = scratch(t);
  using db = openStore(file);
  db.exec("INSERT INTO migration VALUES (9999, '9999-future.sql', 'x')");
  db.close();
  assert.throws(
    () => openStore(file),
    /Cannot use the state database ".*state.db": it was written by a newer sluice \(migration 9999-future.sql\)/,
  );

  const edited = scratch(t);
  using other = openStore(edited);
  other.exec("UPDATE migration SET checksum = 'y' WHERE version = 1");
  other.close();
  assert.throws(() => openStore(edited), /migration 0001-shaper-slots.sql was edited after it was applied/);

  const broken = join(edited, "../broken.db");
  writeFileSync(broken, "this is no database, and long enough to be seen as one".repeat(40));
  assert.throws(() => openStore(broken), /file is not a database/);
});
