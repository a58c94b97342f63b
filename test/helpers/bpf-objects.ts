/** The kernel's BPF programs and maps by name, read with bpf(2) itself, so that no tool needs to be there. */
import { ERRNO, SystemError } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { addressOf, bpfSyscall, errno } from "../../src/linux/ffi.ts";

/** `__NR_bpf`; the ABIs of the two architectures Sluice runs on. */
const NR_BPF = process.arch === "arm64" ? 280 : 321;
const BPF_OBJ_GET_INFO_BY_FD = 15;

interface Kind {
  readonly noun: string;
  readonly nextId: number;
  readonly fdById: number;
  /** Offset of `char name[16]` in the kind's info structure (linux/bpf.h). */
  readonly name: number;
}
const KINDS: readonly Kind[] = [
  { noun: "BPF program", nextId: 11, fdById: 13, name: 64 }, // struct bpf_prog_info
  { noun: "BPF map", nextId: 12, fdById: 14, name: 24 }, // struct bpf_map_info
];

function bpf(command: number, attributes: Buffer): number | undefined {
  const result = bpfSyscall(NR_BPF, command, attributes, attributes.length);
  if (result >= 0) return result;
  // ENOENT: no further id, or the object went away between two calls. EPERM: not ours to see, then not ours at all.
  if (errno() === ERRNO.ENOENT || errno() === ERRNO.EPERM) return undefined;
  throw new SystemError(`bpf(${command})`, errno());
}

function nameOf(kind: Kind, id: number): string | undefined {
  const open = Buffer.alloc(16);
  open.writeUInt32LE(id, 0);
  const number = bpf(kind.fdById, open);
  if (number === undefined) return undefined;
  using fd = new Fd(number);
  const info = Buffer.alloc(80);
  const query = Buffer.alloc(16);
  query.writeUInt32LE(fd.number, 0);
  query.writeUInt32LE(info.length, 4);
  query.writeBigUInt64LE(addressOf(info), 8);
  if (bpf(BPF_OBJ_GET_INFO_BY_FD, query) === undefined) return undefined;
  return info.toString("latin1", kind.name, kind.name + 16).replace(/\0.*/s, "");
}

/** Programs and maps whose names begin with `prefix`, as `BPF map sluice_hosts (id 12)`. @throws SystemError */
export function bpfObjects(prefix: string): string[] {
  const found: string[] = [];
  for (const kind of KINDS) {
    const cursor = Buffer.alloc(12);
    while (bpf(kind.nextId, cursor) !== undefined) {
      const id = cursor.readUInt32LE(4);
      const name = nameOf(kind, id);
      if (name?.startsWith(prefix)) found.push(`${kind.noun} ${name} (id ${id})`);
      cursor.writeUInt32LE(id, 0);
    }
  }
  return found;
}
