/** Configurations that were carried out, with their files. */
import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { deflateSync, inflateSync } from "node:zlib";
import type { NamedFile, Role } from "../../control/files.ts";
import { transaction } from "../../store/db.ts";

/** Configurations that are kept; the oldest go, but not the one that is active. */
const KEPT = 50;

/** A configuration without its files. */
export interface StoredConfiguration {
  readonly id: number;
  readonly loadedAt: string;
  readonly digest: string;
  readonly who: string;
  readonly active: boolean;
  readonly files: readonly { readonly role: Role; readonly path: string; readonly bytes: number }[];
}

/** The active one. */
export interface ActiveConfiguration {
  readonly id: number;
  readonly loadedAt: string;
  readonly digest: string;
  readonly pinned: boolean;
}

/** What tells configurations apart: names and content of all files. */
export function digestOf(files: readonly NamedFile[]): string {
  const hash = createHash("sha256");
  for (const { role, path, text } of files) hash.update(`${role}\0${path}\0${Buffer.byteLength(text)}\0${text}`);
  return hash.digest("hex");
}

function insert(db: DatabaseSync, files: readonly NamedFile[], digest: string, who: string, now: string): number {
  const row = db
    .prepare("INSERT INTO configuration (loaded_at, digest, who) VALUES (?, ?, ?) RETURNING id")
    .get(now, digest, who)!;
  const id = Number(row["id"]);
  const add = db.prepare("INSERT INTO configuration_file VALUES (?, ?, ?, ?, ?)");
  for (const { role, path, text } of files) add.run(id, role, path, Buffer.byteLength(text), deflateSync(text));
  return id;
}

function activate(db: DatabaseSync, id: number, pinned: boolean): void {
  db.prepare("INSERT OR REPLACE INTO active_configuration VALUES (1, ?, ?)").run(id, pinned ? 1 : 0);
}

/**
 * Keeps a configuration and makes it the active one. One with the same files as the newest is that one.
 *
 * @param now RFC 3339
 */
export function keep(db: DatabaseSync, files: readonly NamedFile[], who: string, now: string): ActiveConfiguration {
  const digest = digestOf(files);
  return transaction(db, () => {
    const newest = db.prepare("SELECT id, loaded_at, digest FROM configuration ORDER BY id DESC LIMIT 1").get();
    const same = newest?.["digest"] === digest;
    const id = same ? Number(newest["id"]) : insert(db, files, digest, who, now);
    activate(db, id, false);
    db.prepare(
      `DELETE FROM configuration WHERE id <= (SELECT max(id) FROM configuration) - ?
         AND id NOT IN (SELECT configuration FROM active_configuration)`,
    ).run(KEPT);
    return { id, digest, loadedAt: same ? String(newest["loaded_at"]) : now, pinned: false };
  });
}

/** Makes one that is kept the active one, against what the files say. */
export const pin = (db: DatabaseSync, id: number): void => transaction(db, () => activate(db, id, true));

/** The active one; undefined when nothing was ever carried out. */
export function readActive(db: DatabaseSync): ActiveConfiguration | undefined {
  const row = db
    .prepare(
      `SELECT id, loaded_at, digest, pinned FROM active_configuration
         JOIN configuration ON configuration.id = active_configuration.configuration`,
    )
    .get();
  if (!row) return undefined;
  return {
    id: Number(row["id"]),
    loadedAt: String(row["loaded_at"]),
    digest: String(row["digest"]),
    pinned: row["pinned"] === 1,
  };
}

/** The newest first. */
export function list(db: DatabaseSync): StoredConfiguration[] {
  const active = readActive(db)?.id;
  const files = Map.groupBy(
    db.prepare("SELECT configuration, role, path, bytes FROM configuration_file").all(),
    (row) => row["configuration"],
  );
  return db
    .prepare("SELECT id, loaded_at, digest, who FROM configuration ORDER BY id DESC")
    .all()
    .map((row) => ({
      id: Number(row["id"]),
      loadedAt: String(row["loaded_at"]),
      digest: String(row["digest"]),
      who: String(row["who"]),
      active: row["id"] === active,
      files: (files.get(row["id"]) ?? []).map((file) => ({
        role: file["role"] as Role,
        path: String(file["path"]),
        bytes: Number(file["bytes"]),
      })),
    }));
}

/** The files of one; none when it is not kept. */
export const filesOf = (db: DatabaseSync, id: number): NamedFile[] =>
  db
    .prepare("SELECT role, path, content FROM configuration_file WHERE configuration = ?")
    .all(id)
    .map((row) => ({
      role: row["role"] as Role,
      path: String(row["path"]),
      text: inflateSync(row["content"] as Uint8Array).toString(),
    }));
