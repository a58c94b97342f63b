/** What happened, kept. */
import type { DatabaseSync } from "node:sqlite";
import type { EventJson } from "../../api/schemas/system.ts";

/** Events that are kept. */
const KEPT = 10_000;
/** They are trimmed once in so many. */
const TRIM_EVERY = 100;

function eventOf(row: Readonly<Record<string, unknown>>): EventJson {
  return {
    id: Number(row["id"]),
    time: String(row["time"]),
    kind: String(row["kind"]),
    severity: row["severity"] as EventJson["severity"],
    message: String(row["message"]),
    details: JSON.parse(String(row["details"])) as Record<string, unknown>,
  };
}

/** Keeps one. */
export function add(db: DatabaseSync, event: Omit<EventJson, "id">): EventJson {
  const { time, kind, severity, message, details } = event;
  const row = db
    .prepare("INSERT INTO event (time, kind, severity, message, details) VALUES (?, ?, ?, ?, ?) RETURNING id")
    .get(time, kind, severity, message, JSON.stringify(details))!;
  const id = Number(row["id"]);
  if (id % TRIM_EVERY === 0) db.prepare("DELETE FROM event WHERE id <= ?").run(id - KEPT);
  return { id, ...event };
}

/** Which events. */
export interface EventQuery {
  /** Those after this id; the last ones when left out. */
  readonly after?: number | undefined;
  readonly limit: number;
  readonly kind?: string | undefined;
}

/** The oldest first. */
export function list(db: DatabaseSync, { after, limit, kind }: EventQuery): EventJson[] {
  const like = kind ?? null;
  if (after !== undefined)
    return db
      .prepare("SELECT * FROM event WHERE id > ? AND (?2 IS NULL OR kind = ?2) ORDER BY id LIMIT ?3")
      .all(after, like, limit)
      .map(eventOf);
  return db
    .prepare("SELECT * FROM event WHERE (?1 IS NULL OR kind = ?1) ORDER BY id DESC LIMIT ?2")
    .all(like, limit)
    .map(eventOf)
    .toReversed();
}
