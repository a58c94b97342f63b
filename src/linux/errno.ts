/** Failed system calls as errors. */
import { constants } from "node:os";
import { getSystemErrorMessage } from "node:util";
import { errno } from "./ffi.ts";

const NAMES = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
/** Numbers by name, `ERRNO.ENOENT`. */
export const ERRNO = constants.errno;

/** The name of an error number, `ENOENT`; the number itself when it has none. */
export const errnoName = (number: number): string => NAMES.get(number) ?? `errno ${number}`;

/** A system call that failed: which, on what, and the kernel's reason. */
export class SystemError extends Error {
  override readonly name: string = "SystemError";
  readonly syscall: string;
  /** Positive error number. */
  readonly errno: number;
  /** `ENOENT`, ... */
  readonly code: string;

  constructor(syscall: string, number: number, detail?: string) {
    super(`${syscall}: ${detail ?? describeErrno(number)}`);
    this.syscall = syscall;
    this.errno = number;
    this.code = errnoName(number);
  }
}

/** The text of an error number with its name: `no such file or directory (ENOENT)`. */
export function describeErrno(number: number): string {
  try {
    return `${getSystemErrorMessage(-number)} (${errnoName(number)})`;
  } catch {
    return errnoName(number);
  }
}

/** Passes a call's result through, or throws the SystemError that errno tells of when it is negative. */
export function check(syscall: string, result: number): number {
  if (result < 0) throw new SystemError(syscall, errno());
  return result;
}
