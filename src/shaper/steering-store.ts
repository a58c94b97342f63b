/** The steering masks that an apply emptied, kept in the state database so that cleanup can put them back. */
import type { DatabaseSync } from "node:sqlite";
import { transaction } from "../store/db.ts";
import type { ShaperAction } from "./actions.ts";
import type { SavedSteering, Steering } from "./model.ts";

interface Row {
  readonly device: string;
  readonly queue: number;
  readonly cpus: string;
  readonly rxqs: string;
}

/** Reads what was saved. */
export function readSteering(db: DatabaseSync): SavedSteering {
  const rows = db.prepare("SELECT * FROM shaper_steering").all() as unknown as Row[];
  const byDevice = Map.groupBy(rows, ({ device }) => device);
  return new Map(
    [...byDevice].map(([device, list]) => [
      device,
      new Map(list.map(({ queue, cpus, rxqs }): [number, Steering] => [queue, { cpus, rxqs }])),
    ]),
  );
}

/** Saves what these actions are about to empty; what was saved earlier is the true original and stays. */
export function saveSteering(db: DatabaseSync, actions: readonly ShaperAction[]): void {
  const save = db.prepare("INSERT OR IGNORE INTO shaper_steering VALUES (?, ?, ?, ?)");
  transaction(db, () => {
    for (const action of actions) {
      if (action.kind === "steering.set") save.run(action.dev, action.queue, action.before.cpus, action.before.rxqs);
    }
  });
}

/** Forgets what was saved of a device. */
export function forgetSteering(db: DatabaseSync, device: string): void {
  db.prepare("DELETE FROM shaper_steering WHERE device = ?").run(device);
}
