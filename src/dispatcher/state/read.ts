/** Reads what the store holds. */
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type {
  Attachment,
  DispatcherKey,
  DispatcherRecord,
  EngineName,
  LinkDetails,
  LinkRecord,
  ProgramRecord,
  ProgramType,
  State,
  XdpMode,
} from "../model.ts";
import { keyText } from "../model.ts";
import type { MemberCode } from "../engines/member-codec.ts";

type Row = Record<string, SQLOutputValue>;

const text = (row: Row, column: string): string => row[column] as string;
const number = (row: Row, column: string): number => row[column] as number;
// The store's own content, checked when it was written.
const json = (row: Row, column: string): never => JSON.parse(text(row, column)) as never;

/** Fields that are absent where the column is NULL. */
const optional = <K extends string>(key: K, value: SQLOutputValue | undefined): { [P in K]?: string } =>
  (value === null || value === undefined ? {} : { [key]: value }) as { [P in K]?: string };

function programOf(row: Row): ProgramRecord {
  return {
    id: number(row, "id"),
    name: text(row, "name"),
    type: text(row, "type") as ProgramType,
    ...optional("attachFunction", row["attach_function"]),
    section: text(row, "section"),
    license: text(row, "license"),
    gplCompatible: row["gpl_compatible"] === 1,
    source: json(row, "source"),
    bytecode: text(row, "bytecode"),
    globals: json(row, "globals"),
    metadata: json(row, "metadata"),
    ...optional("owner", row["owner"]),
    mapSet: number(row, "map_set"),
    sharedMaps: json(row, "shared_maps"),
    frags: row["frags"] === 1,
    tailCalls: row["tail_calls"] === 1,
    loadedAt: text(row, "loaded_at"),
  };
}

function keyOf(row: Row): DispatcherKey {
  return {
    hook: text(row, "hook") as DispatcherKey["hook"],
    nsid: number(row, "nsid"),
    ifindex: number(row, "ifindex"),
  };
}

function attachmentOf(row: Row): Attachment {
  const holder = number(row, "holder");
  const via = text(row, "via") as Attachment["via"];
  if (via === "xdp") return { via, linkId: holder, mode: text(row, "xdp_mode") as XdpMode };
  return via === "tcx" ? { via, linkId: holder } : { via, handle: holder };
}

const dispatcherOf = (row: Row): DispatcherRecord => ({
  key: keyOf(row),
  device: text(row, "device"),
  ...optional("netns", row["netns"]),
  revision: number(row, "revision"),
  engine: text(row, "engine") as EngineName,
  programId: number(row, "program"),
  attachment: attachmentOf(row),
});

function linkOf(row: Row): LinkRecord {
  const details = json(row, "details") as LinkDetails;
  return {
    id: number(row, "id"),
    programId: number(row, "program"),
    ...(row["kernel_link"] !== null && { kernelLinkId: number(row, "kernel_link") }),
    details:
      details.kind === "xdp" || details.kind === "tc"
        ? { ...details, key: keyOf(row), position: number(row, "position") }
        : details,
    metadata: json(row, "metadata"),
    createdAt: text(row, "created_at"),
  };
}

/** Reads all of it. `boot` is the running one's id. */
export function readState(db: DatabaseSync, boot: string): State {
  const programs = db.prepare("SELECT * FROM program ORDER BY id").all();
  const dispatchers = db.prepare("SELECT * FROM dispatcher ORDER BY hook, nsid, ifindex").all();
  const links = db.prepare("SELECT * FROM link ORDER BY id").all();
  const clsact = db.prepare("SELECT nsid, ifindex FROM clsact WHERE boot = ?").all(boot);
  const namespaces = db.prepare("SELECT nsid, path FROM namespace WHERE boot = ?").all(boot);
  const sequence = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'link'").get();
  const bygone = (row: Row): boolean => row["boot"] !== boot;
  return {
    programs: new Map(programs.map((row) => [number(row, "id"), programOf(row)])),
    links: new Map(links.map((row) => [number(row, "id"), linkOf(row)])),
    dispatchers: new Map(dispatchers.map((row) => [keyText(keyOf(row)), dispatcherOf(row)])),
    bygone: new Set([
      ...programs.filter(bygone).map((row) => number(row, "id")),
      ...dispatchers.filter(bygone).map((row) => keyText(keyOf(row))),
    ]),
    clsact: new Set(clsact.map((row) => `${number(row, "nsid")}_${number(row, "ifindex")}`)),
    namespaces: new Map(namespaces.map((row) => [number(row, "nsid"), text(row, "path")])),
    nextLinkId: (sequence ? number(sequence, "seq") : 0) + 1,
  };
}

/** The instructions of a program; undefined when the store has none of that id. */
export function readCode(db: DatabaseSync, id: number): MemberCode | undefined {
  const row = db.prepare("SELECT code, map_references FROM program WHERE id = ?").get(id);
  if (!row) return undefined;
  return { code: Buffer.from(row["code"] as Uint8Array), references: json(row, "map_references") };
}

/** An object file by its digest; undefined when the store does not have it. */
export function readBytecode(db: DatabaseSync, digest: string): Uint8Array | undefined {
  return db.prepare("SELECT image FROM bytecode WHERE digest = ?").get(digest)?.["image"] as Uint8Array | undefined;
}

/** What a program is loaded from again. */
export interface ReloadFacts {
  /** SHA-256 of the object file. */
  readonly bytecode: string;
  readonly mapSet: number;
}

/** Where a program comes from; undefined when the store has none of that id. */
export function readProgramSource(db: DatabaseSync, id: number): ReloadFacts | undefined {
  const row = db.prepare("SELECT bytecode, map_set FROM program WHERE id = ?").get(id);
  return row && { bytecode: text(row, "bytecode"), mapSet: number(row, "map_set") };
}
