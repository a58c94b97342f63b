/** BTF in the kernel. */
import { ERRNO } from "../errno.ts";
import { Fd } from "../fd.ts";
import { type Btf, parseBtf } from "./btf-codec.ts";
import { BpfAttribute, bpf, bpfError, tryBpf } from "./syscall.ts";

/** The kernel's own types; it knows the type of a program's context only when this is there. */
export const KERNEL_BTF = "/sys/kernel/btf/vmlinux";

/** Loads types. @throws SystemError EINVAL when the kernel finds a fault in them */
export function loadBtf(bytes: Uint8Array): Fd {
  return new Fd(bpf("BTF_LOAD", new BpfAttribute().pointer(0, bytes).u32(16, bytes.length)));
}

/** The types of an id; undefined when they are gone. @throws SystemError */
export function readBtf(id: number): Btf | undefined {
  const result = tryBpf("BTF_GET_FD_BY_ID", new BpfAttribute().u32(0, id));
  if (result === -ERRNO.ENOENT) return undefined;
  if (result < 0) throw bpfError("BTF_GET_FD_BY_ID", -result, String(id));
  using fd = new Fd(result);
  // struct bpf_btf_info: u64 address of the bytes, u32 their size, u32 id. Asked twice: for the size, then for them.
  const read = (bytes: Buffer): number => {
    const info = Buffer.alloc(32);
    const attribute = new BpfAttribute().u32(0, fd.number).u32(4, info.length).pointer(8, info);
    if (bytes.length > 0) {
      new BpfAttribute().pointer(0, bytes).bytes.copy(info, 0, 0, 8);
      info.writeUInt32LE(bytes.length, 8);
    }
    bpf("OBJ_GET_INFO_BY_FD", attribute);
    return info.readUInt32LE(8);
  };
  const bytes = Buffer.alloc(read(Buffer.alloc(0)));
  read(bytes);
  return parseBtf(bytes);
}
