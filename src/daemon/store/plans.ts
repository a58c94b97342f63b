/** Plans of the past, kept. */
import type { DatabaseSync } from "node:sqlite";
import type { AppliedPlanJson } from "../../api/schemas/system.ts";

/** Plans that are kept. */
const KEPT = 1000;
/** Actions of a plan that are kept. */
const ACTIONS_KEPT = 500;

/** An action as it is shown. */
export interface KeptAction {
  readonly sign: "+" | "~" | "-";
  readonly kind: string;
  readonly dev?: string;
  readonly text: string;
}

function planOf(row: Readonly<Record<string, unknown>>): AppliedPlanJson {
  const { reason } = row;
  return {
    id: Number(row["id"]),
    time: String(row["time"]),
    who: String(row["who"]),
    domain: String(row["domain"]),
    configuration: row["configuration"] === null ? null : Number(row["configuration"]),
    summary: { add: Number(row["added"]), change: Number(row["changed"]), remove: Number(row["removed"]) },
    result: row["result"] as AppliedPlanJson["result"],
    milliseconds: Number(row["milliseconds"]),
    ...(typeof reason === "string" && { reason }),
  };
}

/** Keeps one. @returns its id */
export function add(db: DatabaseSync, plan: Omit<AppliedPlanJson, "id">, actions: readonly KeptAction[]): number {
  const { time, who, domain, configuration, summary, result, milliseconds, reason = null } = plan;
  const { add: added, change, remove } = summary;
  const row = db
    .prepare(
      `INSERT INTO applied_plan
         (time, who, domain, configuration, added, changed, removed, result, milliseconds, reason, actions, omitted)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
    )
    .get(
      time,
      who,
      domain,
      configuration,
      added,
      change,
      remove,
      result,
      milliseconds,
      reason,
      JSON.stringify(actions.slice(0, ACTIONS_KEPT)),
      Math.max(0, actions.length - ACTIONS_KEPT),
    )!;
  const id = Number(row["id"]);
  db.prepare("DELETE FROM applied_plan WHERE id <= ?").run(id - KEPT);
  return id;
}

/** The newest first. */
export const list = (db: DatabaseSync, limit: number): AppliedPlanJson[] =>
  db.prepare("SELECT * FROM applied_plan ORDER BY id DESC LIMIT ?").all(limit).map(planOf);

/** One with its actions; undefined when it is not kept. */
export function get(
  db: DatabaseSync,
  id: number,
): { readonly plan: AppliedPlanJson; readonly actions: KeptAction[]; readonly omitted: number } | undefined {
  const row = db.prepare("SELECT * FROM applied_plan WHERE id = ?").get(id);
  if (!row) return undefined;
  const actions = JSON.parse(String(row["actions"])) as KeptAction[];
  return { plan: planOf(row), actions, omitted: Number(row["omitted"]) };
}
