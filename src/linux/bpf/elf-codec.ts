/** As much of ELF as BPF objects need: 64-bit, little-endian (man 5 elf). */

const HEADER = 64;
const ET_REL = 1;
const EM_BPF = 247;
const SECTION_HEADER = 64;

/** A section of a file. */
export interface ElfSection {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Why a file is not a BPF object of this machine's byte order; undefined when it is one. */
export function checkBpfElf(image: Uint8Array): string | undefined {
  const bytes = Buffer.from(image.buffer, image.byteOffset, image.byteLength);
  if (bytes.length < HEADER || bytes.toString("latin1", 0, 4) !== "\x7fELF") return "it is not an ELF file";
  if (bytes[4] !== 2) return "it is not a 64-bit ELF file";
  if (bytes[5] !== 1) return "it is for big-endian machines";
  if (bytes.readUInt16LE(16) !== ET_REL) return "it is a linked program, not an object file";
  if (bytes.readUInt16LE(18) !== EM_BPF) return `it is for machine ${bytes.readUInt16LE(18)}, not for BPF (247)`;
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
