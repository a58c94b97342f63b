/** bpf(2): one system call with a command number and, per command, its own layout of `union bpf_attr` (linux/bpf.h). */
import { describeErrno, ERRNO, SystemError } from "../errno.ts";
import { addressOf, bpfSyscall, errno, setrlimit } from "../ffi.ts";

/** Commands by the kernel's names. */
export const BPF = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  MAP_GET_NEXT_KEY: 4,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  PROG_TEST_RUN: 10,
  PROG_GET_NEXT_ID: 11,
  MAP_GET_NEXT_ID: 12,
  PROG_GET_FD_BY_ID: 13,
  MAP_GET_FD_BY_ID: 14,
  OBJ_GET_INFO_BY_FD: 15,
  PROG_QUERY: 16,
  BTF_LOAD: 18,
  BTF_GET_FD_BY_ID: 19,
  MAP_LOOKUP_BATCH: 24,
  MAP_UPDATE_BATCH: 26,
  MAP_DELETE_BATCH: 27,
  LINK_CREATE: 28,
  LINK_UPDATE: 29,
  LINK_GET_FD_BY_ID: 30,
  LINK_GET_NEXT_ID: 31,
  LINK_DETACH: 34,
  PROG_BIND_MAP: 35,
} as const;

/** The name of a command. */
export type BpfCommand = keyof typeof BPF;

const NUMBERS: Partial<Record<NodeJS.Architecture, number>> = { x64: 321, arm64: 280 };
/** Large enough for every command; the kernel takes a longer attribute as long as the rest is zero. */
const ATTRIBUTE_SIZE = 128;
/** In-kernel "operation not supported", which has no name in user space. */
const ENOTSUPP = 524;
const RLIMIT_MEMLOCK = 8;

/** A `union bpf_attr` being filled: fields are written at their offsets, the rest is zero. */
export class BpfAttribute {
  readonly bytes = Buffer.alloc(ATTRIBUTE_SIZE);
  /** Keeps what is pointed to alive as long as the attribute is. */
  readonly #kept: NodeJS.ArrayBufferView[] = [];

  /** Writes 32 bits. */
  u32(offset: number, value: number): this {
    this.bytes.writeUInt32LE(value, offset);
    return this;
  }
  /** Writes 64 bits. */
  u64(offset: number, value: bigint): this {
    this.bytes.writeBigUInt64LE(value, offset);
    return this;
  }
  /** Writes the address of memory that the kernel reads or fills. */
  pointer(offset: number, memory: NodeJS.ArrayBufferView): this {
    this.#kept.push(memory);
    return this.u64(offset, addressOf(memory));
  }
  /** Writes a name, of which the kernel keeps 15 characters. */
  name(offset: number, value: string): this {
    this.bytes.write(value.slice(0, 15), offset, "latin1");
    return this;
  }

  /** Writes a C string's address. */
  text(offset: number, value: string): this {
    return this.pointer(offset, Buffer.from(`${value}\0`));
  }
}

/**
 * What the kernel gives up when a signal is pending, and how it says so. Signals need not be anyone's: a runtime's own
 * io_uring work counts as one.
 */
const INTERRUPTED: Partial<Record<BpfCommand, number>> = { PROG_LOAD: ERRNO.EAGAIN, PROG_TEST_RUN: ERRNO.EINTR };
/** How often that is asked for (libbpf: PROG_LOAD_ATTEMPTS). */
const TRIES = 5;

function raw(command: BpfCommand, attribute: BpfAttribute): number {
  const number = NUMBERS[process.arch];
  if (number === undefined) throw new SystemError("bpf", ERRNO.ENOSYS, `not supported on ${process.arch}`);
  return bpfSyscall(number, BPF[command], attribute.bytes, ATTRIBUTE_SIZE);
}

/**
 * Runs a command.
 *
 * @returns its result when it is 0 or above (a file descriptor for the commands that make one), else the negative errno
 */
export function tryBpf(command: BpfCommand, attribute: BpfAttribute): number {
  let result = raw(command, attribute);
  let number = result < 0 ? errno() : 0;
  for (let tries = 1; number !== 0 && number === INTERRUPTED[command] && tries < TRIES; tries += 1) {
    result = raw(command, attribute);
    number = result < 0 ? errno() : 0;
  }
  if (result >= 0) return result;
  // Before 5.11 a map's memory counts as locked, and the usual limit of 64 KiB fails even small ones.
  if (number === ERRNO.EPERM && command === "MAP_CREATE" && raiseLockedMemory()) {
    const again = raw(command, attribute);
    return again >= 0 ? again : -errno();
  }
  return -number;
}

/** Runs a command; `what` names the object in the error. @throws SystemError */
export function bpf(command: BpfCommand, attribute: BpfAttribute, what = ""): number {
  const result = tryBpf(command, attribute);
  if (result < 0) throw bpfError(command, -result, what);
  return result;
}

/** The error of a command. */
export function bpfError(command: BpfCommand, number: number, what = ""): SystemError {
  const reason = number === ENOTSUPP ? "operation not supported (ENOTSUPP)" : describeErrno(number);
  return new SystemError(`BPF_${command}${what && ` ${what}`}`, number, reason);
}

/** Whether a negative result says that the kernel lacks the command for this kind of object. */
export const isUnsupported = (result: number): boolean =>
  result === -ENOTSUPP || result === -ERRNO.EINVAL || result === -ERRNO.EOPNOTSUPP;

let raised = false;
/** True when the limit was raised just now, so that trying again makes sense. */
function raiseLockedMemory(): boolean {
  if (raised) return false;
  raised = true;
  const unlimited = BigUint64Array.of(2n ** 64n - 1n, 2n ** 64n - 1n);
  return setrlimit(RLIMIT_MEMLOCK, unlimited) === 0;
}
