/** Writes changes of the store: all of a plan's in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Bindings } from "../../core/binding.ts";
import { transaction } from "../../store/db.ts";
import type { NewLink, NewProgram, StoreChange } from "../actions.ts";
import type { MemberCode } from "../engines/member-codec.ts";
import type { ReloadFacts } from "./read.ts";
import type { DispatcherKey, MemberDetails, PlannedDispatcher } from "../model.ts";

/** What loading gave of a program, for its row. */
export interface LoadedFacts extends MemberCode {
  readonly id: number;
  readonly gplCompatible: boolean;
  readonly source: ReloadFacts;
}

/** What a commit needs besides the changes. */
export interface CommitContext {
  /** The running boot's id. */
  readonly boot: string;
  readonly bindings: Bindings;
  /** Of the programs loaded in this plan, by the kernel's id. */
  readonly loaded: ReadonlyMap<number, LoadedFacts>;
  /** Object files by their digest. */
  readonly images: ReadonlyMap<string, Uint8Array>;
}

function putProgram(db: DatabaseSync, program: NewProgram, context: CommitContext): void {
  const id = context.bindings.resolve(program.id);
  const facts = context.loaded.get(id);
  const image = context.images.get(program.bytecode);
  if (!facts || !image) throw new TypeError(`Program ${id} was not loaded in this plan`);
  db.prepare("INSERT OR IGNORE INTO bytecode VALUES (?, ?)").run(program.bytecode, image);
  db.prepare(
    `INSERT INTO program (id, boot, name, type, attach_function, section, license, gpl_compatible, source, bytecode,
       globals, metadata, owner, map_set, shared_maps, frags, tail_calls, loaded_at, code, map_references)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    id,
    context.boot,
    program.name,
    program.type,
    program.attachFunction ?? null,
    program.section,
    program.license,
    Number(facts.gplCompatible),
    JSON.stringify(program.source),
    program.bytecode,
    JSON.stringify(program.globals),
    JSON.stringify(program.metadata),
    program.owner ?? null,
    context.bindings.resolve(program.mapSet),
    JSON.stringify(program.sharedMaps),
    Number(program.frags),
    Number(program.tailCalls),
    program.loadedAt,
    facts.code,
    JSON.stringify(facts.references),
  );
}

function deleteProgram(db: DatabaseSync, id: number): void {
  db.prepare("DELETE FROM program WHERE id = ?").run(id);
  db.prepare("DELETE FROM bytecode WHERE digest NOT IN (SELECT bytecode FROM program)").run();
}

function putLink(db: DatabaseSync, link: NewLink, { bindings }: CommitContext): void {
  const { details } = link;
  const member = details.kind === "xdp" || details.kind === "tc" ? details : undefined;
  const { key: _key, position: _position, ...shown } = { key: undefined, position: undefined, ...details };
  db.prepare(
    `INSERT INTO link (id, program, kind, kernel_link, hook, nsid, ifindex, position, details, metadata, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    link.id,
    bindings.resolve(link.programId),
    details.kind,
    link.kernelLinkId === undefined ? null : bindings.resolve(link.kernelLinkId),
    member?.key.hook ?? null,
    member?.key.nsid ?? null,
    member?.key.ifindex ?? null,
    member?.position ?? null,
    JSON.stringify(shown),
    JSON.stringify(link.metadata),
    link.createdAt,
  );
}

function deleteDispatcher(db: DatabaseSync, { hook, nsid, ifindex }: DispatcherKey): void {
  db.prepare("DELETE FROM dispatcher WHERE hook = ? AND nsid = ? AND ifindex = ?").run(hook, nsid, ifindex);
}

function putDispatcher(
  db: DatabaseSync,
  dispatcher: PlannedDispatcher,
  members: readonly NewLink<MemberDetails>[],
  context: CommitContext,
): void {
  const { key, attachment } = dispatcher;
  deleteDispatcher(db, key);
  db.prepare(
    `INSERT INTO dispatcher (hook, nsid, ifindex, boot, device, netns, revision, engine, program, via, holder, xdp_mode)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    key.hook,
    key.nsid,
    key.ifindex,
    context.boot,
    dispatcher.device,
    dispatcher.netns ?? null,
    dispatcher.revision,
    dispatcher.engine,
    context.bindings.resolve(dispatcher.programId),
    attachment.via,
    context.bindings.resolve(attachment.via === "clsact" ? attachment.handle : attachment.linkId),
    attachment.via === "xdp" ? attachment.mode : null,
  );
  for (const member of members) putLink(db, member, context);
}

function write(db: DatabaseSync, change: StoreChange, context: CommitContext): void {
  switch (change.kind) {
    case "program.put":
      return putProgram(db, change.program, context);
    case "program.delete":
      return deleteProgram(db, change.id);
    case "dispatcher.put":
      return putDispatcher(db, change.dispatcher, change.members, context);
    case "dispatcher.delete":
      return deleteDispatcher(db, change.key);
    case "clsact.forget":
      return forgetClsact(db, change.nsid, change.ifindex);
    case "link.put":
      return putLink(db, change.link, context);
    case "link.delete":
      return void db.prepare("DELETE FROM link WHERE id = ?").run(change.id);
  }
}

/** Makes all changes, or none. */
export function commit(db: DatabaseSync, changes: readonly StoreChange[], context: CommitContext): void {
  transaction(db, () => {
    for (const change of changes) write(db, change, context);
  });
}

/** Notes by which path a namespace is reached, before anything is put into it. */
export function noteNamespace(db: DatabaseSync, nsid: number, path: string, boot: string): void {
  db.prepare("DELETE FROM namespace WHERE boot <> ?").run(boot);
  db.prepare("INSERT OR REPLACE INTO namespace VALUES (?, ?, ?)").run(nsid, path, boot);
}

/** Notes that an interface's clsact qdisc is ours to remove: before it is made, so that none is left behind for good. */
export function markClsact(db: DatabaseSync, nsid: number, ifindex: number, boot: string): void {
  db.prepare("INSERT OR REPLACE INTO clsact VALUES (?, ?, ?)").run(nsid, ifindex, boot);
}

/** Forgets it. */
export function forgetClsact(db: DatabaseSync, nsid: number, ifindex: number): void {
  db.prepare("DELETE FROM clsact WHERE nsid = ? AND ifindex = ?").run(nsid, ifindex);
}
