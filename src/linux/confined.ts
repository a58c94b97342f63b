/**
 * What a program that `startConfined` (confined-process.ts) started calls first: from then on it is another user without a
 * privilege, holds the descriptors that it was given, from 3 on, and can open nothing that needs a capability.
 */
import { readFileSync } from "node:fs";
import { check } from "./errno.ts";
import { capset, prctl, schedSetaffinity } from "./ffi.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const PR_SET_NO_NEW_PRIVS = 38;
const SIGKILL = 9;
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
/** Processors that the mask has room for. */
const MOST_CPUS = 1024;

/** What is wrong with a process's status (/proc/self/status) for one without privileges; undefined when nothing is. */
export function privilegeIn(status: string): string | undefined {
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, "m").exec(status)?.[1] ?? "";
  const kept = ["CapInh", "CapPrm", "CapEff", "CapAmb"].find((set) => !/^0+$/.test(field(set)));
  if (kept !== undefined) return `it still has capabilities (${kept} ${field(kept)})`;
  if (field("Uid").split(/\s+/).includes("0")) return "it still is root";
  return field("NoNewPrivs") === "1" ? undefined : "it could get new privileges";
}

/** Binds this thread to processors. @throws SystemError EINVAL when none of them is there */
export function pinThread(cpus: readonly number[]): void {
  const mask = Buffer.alloc(MOST_CPUS / 8);
  for (const cpu of cpus) if (cpu < MOST_CPUS) mask[cpu >> 3]! |= 1 << (cpu & 7);
  check(`sched_setaffinity ${cpus.join(",")}`, schedSetaffinity(0, mask.length, mask));
}

/** Makes all of this process another user; its capabilities go with root. @throws the system's error EPERM */
function become(uid: number, gid: number): void {
  process.setgroups?.([]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

/** What a confined program was told. */
export interface Confinement {
  readonly name: string;
  /** Why it is not bound to its processors. */
  readonly unpinned?: string;
  /** What else `startConfined` was given for it. */
  readonly options: unknown;
}

/**
 * Gives up all privileges, and ties this process's life to that of its parent: it is killed when the parent ends,
 * however that comes about.
 *
 * @throws SystemError, Error when a privilege is left, or the parent has ended already
 */
export function confine(): Confinement {
  const [name = "", start = "{}"] = process.argv.slice(2);
  const { parent, uid, gid, cpus, options } = JSON.parse(start) as StartWords;
  become(uid, gid);
  check("prctl PR_SET_PDEATHSIG", prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0));
  // Who ended before that call sends no signal any more.
  if (process.ppid !== parent) throw new Error(`Cannot go on: process ${parent}, which started it, has ended`);
  check("prctl PR_SET_NO_NEW_PRIVS", prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  // The user is one that others run as, too: none of them may look into this process, or take its descriptors.
  check("prctl PR_SET_DUMPABLE", prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  const header = new Uint32Array([LINUX_CAPABILITY_VERSION_3, 0]);
  check("capset", capset(header, new Uint32Array(6)));
  const privilege = privilegeIn(readFileSync("/proc/self/status", "utf8"));
  if (privilege !== undefined) throw new Error(`Cannot run without privileges: ${privilege}`);
  const confinement = { name, options };
  try {
    if (cpus) pinThread(cpus);
    return confinement;
  } catch (error) {
    return { ...confinement, unpinned: String(error) };
  }
}

/** The second word that a confined program is started with, as JSON. */
export interface StartWords {
  readonly parent: number;
  readonly uid: number;
  readonly gid: number;
  readonly cpus?: readonly number[];
  readonly options: unknown;
}
