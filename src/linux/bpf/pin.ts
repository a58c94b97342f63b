/** Pins: BPF objects kept alive as files of a bpffs, so that they outlive this process. */
import { existsSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { sluiceError } from "../../core/errors.ts";
import { check, ERRNO, SystemError } from "../errno.ts";
import { Fd } from "../fd.ts";
import { mount, statfs } from "../ffi.ts";
import { BpfAttribute, bpf, bpfError, tryBpf } from "./syscall.ts";

const BPFFS_MAGIC = 0xcafe4a11n;

/** Whether a path stands on a bpffs. @throws SystemError when it does not exist */
export function isBpffs(path: string): boolean {
  const info = Buffer.alloc(120);
  check(`statfs ${path}`, statfs(path, info));
  return (info.readBigUInt64LE(0) & 0xffff_ffffn) === BPFFS_MAGIC;
}

/** Makes a folder and those above it. Node's own recursive mkdir never returns on /proc, which says ENOENT to every try. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder, { mode: 0o700 });
}

/**
 * Makes a folder for pins. Below a mounted bpffs (`/sys/fs/bpf`, which systemd mounts) it is just a folder; anywhere else
 * a bpffs of its own is mounted on it, and on nothing above it.
 *
 * @throws SluiceError BPF_PINS
 */
export function ensureBpffs(folder: string): void {
  try {
    makeFolder(folder);
    if (!isBpffs(folder)) check(`mount ${folder}`, mount("bpf", folder, "bpf", 0, Buffer.from("mode=0700\0")));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw sluiceError("BPF_PINS", { folder, reason }, { cause: error });
  }
}

/** Pins an object. Names must not contain dots: bpffs keeps those for itself. @throws SystemError EEXIST, EPERM, ... */
export function pin(fd: number, path: string): void {
  bpf("OBJ_PIN", new BpfAttribute().text(0, path).u32(8, fd), path);
}

/** Opens a pinned object; undefined when there is none. @throws SystemError */
export function openPin(path: string): Fd | undefined {
  const result = tryBpf("OBJ_GET", new BpfAttribute().text(0, path));
  if (result === -ERRNO.ENOENT) return undefined;
  if (result < 0) throw bpfError("OBJ_GET", -result, path);
  return new Fd(result);
}

/** Removes a pin; false when there was none. The object lives on while anything uses it. @throws SystemError */
export function unpin(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    throw new SystemError(`unlink ${path}`, -(errno ?? 0));
  }
}

/** Removes a pin, or a folder with all pins in it; what is not there is no error. @throws SystemError */
export function removePins(path: string): void {
  try {
    for (const { name } of readdirSync(path, { withFileTypes: true })) removePins(join(path, name));
    rmdirSync(path);
  } catch (error) {
    const { code, errno } = error as NodeJS.ErrnoException;
    if (code === "ENOTDIR") unpin(path);
    else if (code !== "ENOENT") throw new SystemError(`rmdir ${path}`, -(errno ?? 0));
  }
}
