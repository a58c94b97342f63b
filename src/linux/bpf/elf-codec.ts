/** As much of ELF as BPF objects need (man 5 elf). */

const HEADER = 64;
const ELFCLASS64 = 2;
const ET_REL = 1;
const EM_BPF = 247;
const SECTION_HEADER = 64;
const ORDERS: Readonly<Record<number, "LE" | "BE">> = { 1: "LE", 2: "BE" };
const TYPES: Readonly<Record<number, string>> = { 2: "a program", 3: "a shared library or program", 4: "a core dump" };
const MACHINES: Readonly<Record<number, string>> = {
  3: "i386",
  40: "ARM",
  62: "x86-64",
  183: "AArch64",
  243: "RISC-V",
};

/** A section of a file. */
export interface ElfSection {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Whether it begins as ELF files do. */
export const isElf = (bytes: Uint8Array): boolean =>
  bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;

/**
 * Why a file is not a relocatable BPF object that this machine can load; undefined when it is one.
 * Little-endian only, as every message codec here is.
 */
export function checkBpfElf(image: Uint8Array): string | undefined {
  if (!isElf(image)) return "it is not an ELF file";
  if (image.length < HEADER) return "it ends within the ELF header";
  if (image[4] !== ELFCLASS64) return "it is not a 64-bit ELF file";
  const order = ORDERS[image[5] ?? 0];
  if (order === undefined) return "it has no byte order";
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const machine = view.getUint16(18, order === "LE");
  if (machine !== EM_BPF) {
    const name = MACHINES[machine];
    return `it is for machine ${machine}${name ? ` (${name})` : ""}, not for BPF (${EM_BPF})`;
  }
  if (order !== "LE") return "it is for big-endian machines";
  const type = view.getUint16(16, true);
  if (type !== ET_REL)
    return `it is ${TYPES[type] ?? `an ELF file of type ${type}`}, not a relocatable object (clang -c)`;
  return undefined;
}

/** The sections of a file that has a good header. @throws RangeError when it ends before its tables do */
export function elfSections(image: Uint8Array): ElfSection[] {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  const at = Number(bytes.readBigUInt64LE(40));
  const count = bytes.readUInt16LE(60);
  const content = (index: number): Buffer => {
    const header = at + index * SECTION_HEADER;
    const offset = Number(bytes.readBigUInt64LE(header + 24));
    return bytes.subarray(offset, offset + Number(bytes.readBigUInt64LE(header + 32)));
  };
  const names = content(bytes.readUInt16LE(62));
  return Array.from({ length: count }, (_, index) => {
    const start = bytes.readUInt32LE(at + index * SECTION_HEADER);
    return { name: names.toString("latin1", start, names.indexOf(0, start)), bytes: content(index) };
  });
}

/** A section by its name. */
export const elfSection = (image: Uint8Array, name: string): Buffer | undefined =>
  elfSections(image).find((section) => section.name === name)?.bytes;
