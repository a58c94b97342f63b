/** What the kernel holds, by id, whoever loaded it. */
import { ERRNO } from "../errno.ts";
import { BpfAttribute, bpfError, tryBpf } from "./syscall.ts";

function ids(command: "PROG_GET_NEXT_ID" | "LINK_GET_NEXT_ID"): number[] {
  const found: number[] = [];
  for (let id = 0; ;) {
    const attribute = new BpfAttribute().u32(0, id);
    const result = tryBpf(command, attribute);
    if (result === -ERRNO.ENOENT) return found;
    if (result < 0) throw bpfError(command, -result);
    id = attribute.bytes.readUInt32LE(4);
    found.push(id);
  }
}

/** Every program's id, ascending. @throws SystemError EPERM without the right to ask */
export const programIds = (): number[] => ids("PROG_GET_NEXT_ID");
/** Every link's id, ascending. @throws SystemError EPERM without the right to ask */
export const linkIds = (): number[] => ids("LINK_GET_NEXT_ID");
