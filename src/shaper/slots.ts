/** The allocation in the state database. Only what differs is written, in one transaction. */
import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import { type BitsPerSecond, bitsPerSecond } from "../core/units.ts";
import { transaction } from "../store/db.ts";
import type { Allocation, Slot } from "./allocation.ts";
import type { Both } from "./model.ts";

type Row = Readonly<Record<string, SQLInputValue>>;

function grantOf(row: Row): Both<BitsPerSecond> | undefined {
  const { grant_download: download, grant_upload: upload } = row;
  if (download === null || upload === null) return undefined;
  return { download: bitsPerSecond(Number(download)), upload: bitsPerSecond(Number(upload)) };
}

/** Reads the stored allocation; empty before the first apply. */
export function readSlots(db: DatabaseSync): Allocation {
  const rows = db.prepare("SELECT * FROM shaper_slot").all() as Row[];
  return new Map(
    rows.map((row): [string, Slot] => {
      const grant = grantOf(row);
      const slot = { queue: Number(row["queue"]), parent: Number(row["parent"]), number: Number(row["number"]) };
      return [String(row["key"]), grant ? { ...slot, grant } : slot];
    }),
  );
}

const sameSlot = (a: Slot, b: Slot | undefined): boolean =>
  a.queue === b?.queue &&
  a.parent === b.parent &&
  a.number === b.number &&
  a.grant?.download === b.grant?.download &&
  a.grant?.upload === b.grant?.upload;

/** Replaces the stored allocation `before` by `after`. */
export function writeSlots(db: DatabaseSync, before: Allocation, after: Allocation): void {
  const put = db.prepare("INSERT OR REPLACE INTO shaper_slot VALUES (?, ?, ?, ?, ?, ?)");
  const remove = db.prepare("DELETE FROM shaper_slot WHERE key = ?");
  transaction(db, () => {
    for (const key of before.keys()) if (!after.has(key)) remove.run(key);
    for (const [key, slot] of after) {
      if (sameSlot(slot, before.get(key))) continue;
      put.run(key, slot.queue, slot.parent, slot.number, slot.grant?.download ?? null, slot.grant?.upload ?? null);
    }
  });
}
