/**
 * The state database: SQLite in WAL mode, one writer, migrated on opening. Migrations are numbered SQL files that are
 * applied once, each in a transaction, and never edited afterwards: the file's checksum is kept and compared.
 */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { messageOf, sluiceError } from "../core/errors.ts";

const MIGRATIONS = join(import.meta.dirname, "migrations");

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

/** The migrations that ship with this version, in order. */
function migrations(): Migration[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith(".sql"))
    .toSorted()
    .map((name) => {
      const sql = readFileSync(join(MIGRATIONS, name), "utf8");
      const checksum = createHash("sha256").update(sql).digest("hex");
      return { version: Number(name.slice(0, 4)), name, sql, checksum };
    });
}

function migrate(db: DatabaseSync): void {
  db.exec(
    "CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL) STRICT",
  );
  const rows = db.prepare("SELECT version, name, checksum FROM migration").all();
  const applied = new Map(rows.map((row) => [row["version"], row]));
  const known = migrations();
  const unknown = rows.find((row) => !known.some((m) => m.version === row["version"]));
  if (unknown) throw new Error(`it was written by a newer sluice (migration ${String(unknown["name"])})`);
  for (const migration of known) {
    const before = applied.get(migration.version);
    if (before && before["checksum"] !== migration.checksum)
      throw new Error(`migration ${migration.name} was edited after it was applied`);
    if (before) continue;
    transaction(db, () => {
      db.exec(migration.sql);
      db.prepare("INSERT INTO migration VALUES (?, ?, ?)").run(migration.version, migration.name, migration.checksum);
    });
  }
}

/** Runs a function in a transaction: all of its writes, or none when it throws. */
export function transaction<T>(db: DatabaseSync, body: () => T): T {
  db.exec("BEGIN IMMEDIATE");
  try {
    const result = body();
    db.exec("COMMIT");
    return result;
  } catch (error) {
    // SQLite has taken it back by itself after some errors, a full disk among them.
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** Runs something that touches the database; what goes wrong becomes a STORE error that names the file. */
export function guard<T>(file: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    throw sluiceError("STORE", { file: `"${file}"`, reason: messageOf(error) }, { cause: error });
  }
}

/** Opens (and makes, and migrates) the database. @throws SluiceError STORE */
export function openStore(file: string): DatabaseSync {
  return guard(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    const db = new DatabaseSync(file);
    try {
      db.exec(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000",
      );
      migrate(db);
    } catch (error) {
      db.close();
      throw error;
    }
    return db;
  });
}
