/** One change at a time: an advisory lock that the kernel drops with the process, however it ends. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { sluiceError } from "../core/errors.ts";
import { ERRNO, SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { errno, flock } from "./ffi.ts";

const O_RDWR = 2;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** Takes the lock or says who holds it. Dispose to let go. @throws SluiceError LOCKED */
export function takeLock(path: string): Fd {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "", { flag: "a" });
  const fd = Fd.open(path, O_RDWR);
  if (flock(fd.number, LOCK_EX | LOCK_NB) < 0) {
    const number = errno();
    fd[Symbol.dispose]();
    if (number !== ERRNO.EWOULDBLOCK) throw new SystemError(`lock ${path}`, number);
    throw sluiceError("LOCKED", { pid: readFileSync(path, "utf8").trim() || "unknown" });
  }
  writeFileSync(path, `${process.pid}\n`);
  return fd;
}
