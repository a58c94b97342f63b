/** One change at a time: an advisory lock that the kernel drops with the process, however it ends. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout } from "node:timers/promises";
import { sluiceError } from "../core/errors.ts";
import { ERRNO, SystemError } from "./errno.ts";
import { Fd } from "./fd.ts";
import { errno, flock } from "./ffi.ts";

const O_RDWR = 2;
const LOCK_EX = 2;
const LOCK_NB = 4;

/** How long to wait before looking again, in milliseconds: little at first, then longer. */
const FIRST_WAIT = 1;
const LONGEST_WAIT = 500;

/** How long to wait unless told otherwise, in milliseconds. */
const USUAL_TIMEOUT = 30_000;

/** Who holds a lock, as they wrote it themselves: `pid 123 (sluice apply)`. */
function holderOf(path: string): string {
  const [pid = "", ...command] = readFileSync(path, "utf8").trim().split(" ");
  if (pid === "") return "somebody who has not said who they are";
  return `pid ${pid}${command.length > 0 ? ` (${command.join(" ")})` : ""}`;
}

/** Takes the lock; undefined when somebody else holds it. */
export function tryLock(path: string): Fd | undefined {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "", { flag: "a", mode: 0o600 });
  const fd = Fd.open(path, O_RDWR);
  if (flock(fd.number, LOCK_EX | LOCK_NB) < 0) {
    const number = errno();
    fd[Symbol.dispose]();
    if (number !== ERRNO.EWOULDBLOCK) throw new SystemError(`lock ${path}`, number);
    return undefined;
  }
  const command = ["sluice", ...process.argv.slice(2)].join(" ").slice(0, 200).replaceAll(/\s/g, " ");
  writeFileSync(path, `${process.pid} ${command}\n`);
  return fd;
}

/**
 * Takes the lock, waiting for whoever holds it.
 *
 * @param timeout milliseconds to wait at most, 30,000 when left out; 0 waits for ever
 * @throws SluiceError LOCK_TIMEOUT with who holds it
 */
export async function waitForLock(path: string, timeout = USUAL_TIMEOUT): Promise<Fd> {
  const deadline = timeout === 0 ? Number.POSITIVE_INFINITY : performance.now() + timeout;
  for (let wait = FIRST_WAIT; ; wait = Math.min(2 * wait, LONGEST_WAIT)) {
    const fd = tryLock(path);
    if (fd) return fd;
    const left = deadline - performance.now();
    if (left <= 0) throw sluiceError("LOCK_TIMEOUT", { seconds: timeout / 1000, file: path, holder: holderOf(path) });
    await setTimeout(Math.min(wait, left));
  }
}
