/** Whether some bytes are a BPF object: told from the first 20 of them, before anything reads on. */
import { endianness } from "node:os";
import { invalid } from "./fault.ts";

const ELFCLASS64 = 2;
const ET_REL = 1;
const EM_BPF = 247;
const TYPES: Readonly<Record<number, string>> = { 2: "a program", 3: "a shared library or program", 4: "a core dump" };
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  40: "ARM",
  62: "x86-64",
  183: "AArch64",
  243: "RISC-V",
};

/** Whether it begins as ELF files do. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/**
 * Checks that bytes are a relocatable ELF file of BPF in the byte order of this machine.
 *
 * @param host `LE` or `BE`
 * @throws ImageFault IMAGE_INVALID
 */
export function checkObject(bytes: Uint8Array, host: "LE" | "BE" = endianness()): void {
  if (!isElf(bytes)) throw invalid("its object is no ELF file");
  if (bytes.length < 64) throw invalid("its object ends within the ELF header");
  if (bytes[4] !== ELFCLASS64) throw invalid("its object is not 64-bit ELF");
  const order = bytes[5] === 1 ? "LE" : bytes[5] === 2 ? "BE" : undefined;
  if (order === undefined) throw invalid("its object has no byte order");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const machine = view.getUint16(18, order === "LE");
  if (machine !== EM_BPF) {
    const name = MACHINES[machine];
    throw invalid(`its object is for machine ${machine}${name ? ` (${name})` : ""}, not for BPF (${EM_BPF})`);
  }
  const words = { LE: "little-endian", BE: "big-endian" };
  if (order !== host) throw invalid(`its object is ${words[order]}, and this machine is ${words[host]}`);
  const type = view.getUint16(16, order === "LE");
  if (type !== ET_REL)
    throw invalid(`its object is ${TYPES[type] ?? `an ELF file of type ${type}`}, not a relocatable object (clang -c)`);
}
