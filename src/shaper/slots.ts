/** The allocation in the state database. Only what differs is written, in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import { type BitsPerSecond, bitsPerSecond } from "../core/units.ts";
import { transaction } from "../store/db.ts";
import type { Allocation, Slot } from "./allocation.ts";
import type { Both } from "./model.ts";

interface Row {
  readonly key: string;
  readonly queue: number;
  readonly parent: number;
  readonly number: number;
  readonly grant_download: number | null;
  readonly grant_upload: number | null;
}

function grantOf(row: Row): Both<BitsPerSecond> | undefined {
  const { grant_download: download, grant_upload: upload } = row;
  if (download === null || upload === null) return undefined;
  return { download: bitsPerSecond(download), upload: bitsPerSecond(upload) };
}

/** Reads the stored allocation; empty before the first apply. */
export function readSlots(db: DatabaseSync): Allocation {
  const rows = db.prepare("SELECT * FROM shaper_slot").all() as unknown as Row[];
  return new Map(
    rows.map((row): [string, Slot] => {
      const grant = grantOf(row);
      const { key, queue, parent, number } = row;
      return [key, { queue, parent, number, ...(grant && { grant }) }];
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
