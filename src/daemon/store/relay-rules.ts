/** Rules of the relay that were added while sluice ran. */
import type { DatabaseSync } from "node:sqlite";
import type { NewRuleJson } from "../../api/schemas/relay.ts";

/** A rule as it was added; it has its id. */
export type StoredRule = NewRuleJson & { readonly id: string };

/** All of them, by their ids. */
export const list = (db: DatabaseSync): StoredRule[] =>
  db
    .prepare("SELECT rule FROM relay_rule ORDER BY id")
    .all()
    .map((row) => JSON.parse(String(row["rule"])) as StoredRule);

/** Keeps a rule, in the place of the one with its id. @param now RFC 3339 */
export function put(db: DatabaseSync, rule: StoredRule, now: string): void {
  db.prepare("INSERT OR REPLACE INTO relay_rule VALUES (?, ?, ?)").run(rule.id, now, JSON.stringify(rule));
}

/** Forgets a rule; false when there was none. */
export const remove = (db: DatabaseSync, id: string): boolean =>
  db.prepare("DELETE FROM relay_rule WHERE id = ?").run(id).changes > 0;
