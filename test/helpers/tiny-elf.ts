/** Writes small 64-bit ELF files: with symbols of any name and, where they hold real instructions, able to run. */

/** Where the file begins in memory: an address is never an offset. */
const TINY_ELF_ADDRESS = 0x40_0000;

const HEADER = 64;
const PROGRAM_HEADER = 56;
const SECTION_HEADER = 64;
const SYMBOL = 24;
const MACHINE = 62;

/** What stands in the table of symbols. */
export interface TinySymbol {
  readonly name: string;
  readonly code: Uint8Array;
  /** One of the ELF symbol types; default 2, a function. */
  readonly type?: number;
  /** In no segment, as an import is: its address is 0. */
  readonly imported?: boolean;
}

/** A file, and where its code stands. */
export interface TinyElf {
  readonly file: Buffer;
  /** Bytes from the beginning of the file, by name. */
  readonly offsets: ReadonlyMap<string, number>;
}

/**
 * Writes a file whose first symbol is its entry.
 *
 * @param table the section that the symbols stand in: 2 for .symtab, 11 for .dynsym
 */
export function tinyElf(symbols: readonly TinySymbol[], table = 2): TinyElf {
  const parts: Buffer[] = [];
  let length = HEADER + PROGRAM_HEADER;
  const append = (bytes: Uint8Array): number => {
    const at = length;
    const padded = Buffer.alloc(Math.ceil(bytes.length / 8) * 8);
    padded.set(bytes);
    parts.push(padded);
    length += padded.length;
    return at;
  };
  const offsets = new Map(symbols.map(({ name, code }) => [name, append(code)]));
  const strings = Buffer.from(`\0${symbols.map(({ name }) => `${name}\0`).join("")}`, "latin1");
  const records = Buffer.alloc(SYMBOL * (symbols.length + 1));
  for (const [i, { name, code, type = 2, imported = false }] of symbols.entries()) {
    const at = SYMBOL * (i + 1);
    records.writeUInt32LE(strings.indexOf(`\0${name}\0`, 0, "latin1") + 1, at);
    records.writeUInt8((1 << 4) | type, at + 4);
    records.writeBigUInt64LE(imported ? 0n : BigInt(TINY_ELF_ADDRESS + offsets.get(name)!), at + 8);
    records.writeBigUInt64LE(BigInt(code.length), at + 16);
  }
  const symbolsAt = append(records);
  const stringsAt = append(strings);
  const loaded = length;
  const sections = Buffer.alloc(3 * SECTION_HEADER);
  const section = (index: number, type: number, offset: number, size: number, link: number): void => {
    const at = index * SECTION_HEADER;
    sections.writeUInt32LE(type, at + 4);
    sections.writeBigUInt64LE(BigInt(offset), at + 24);
    sections.writeBigUInt64LE(BigInt(size), at + 32);
    sections.writeUInt32LE(link, at + 40);
  };
  section(1, table, symbolsAt, records.length, 2);
  section(2, 3, stringsAt, strings.length, 0);
  const sectionsAt = append(sections);
  const head = Buffer.alloc(HEADER + PROGRAM_HEADER);
  head.write("\x7fELF\x02\x01\x01", 0, "latin1");
  head.writeUInt16LE(2, 16);
  head.writeUInt16LE(MACHINE, 18);
  head.writeUInt32LE(1, 20);
  head.writeBigUInt64LE(BigInt(TINY_ELF_ADDRESS + HEADER + PROGRAM_HEADER), 24);
  head.writeBigUInt64LE(BigInt(HEADER), 32);
  head.writeBigUInt64LE(BigInt(sectionsAt), 40);
  for (const [i, value] of [HEADER, PROGRAM_HEADER, 1, SECTION_HEADER, 3].entries())
    head.writeUInt16LE(value, 52 + 2 * i);
  // One segment, to be read and executed.
  head.writeUInt32LE(1, HEADER);
  head.writeUInt32LE(5, HEADER + 4);
  for (const [at, value] of [
    [16, TINY_ELF_ADDRESS],
    [24, TINY_ELF_ADDRESS],
    [32, loaded],
    [40, loaded],
    [48, 0x1000],
  ] as const)
    head.writeBigUInt64LE(BigInt(value), HEADER + at);
  return { file: Buffer.concat([head, ...parts]), offsets };
}

/** A program for x86-64 that calls its function this often and ends. */
export function callingElf(name: string, calls: number): TinyElf {
  // endbr64; nop; ret
  const body = Buffer.from("f30f1efa90c3", "hex");
  const start = Buffer.alloc(5 * calls + 9);
  const after = Math.ceil(start.length / 8) * 8;
  for (let i = 0; i < calls; i += 1) {
    start.writeUInt8(0xe8, 5 * i);
    start.writeInt32LE(after - 5 * (i + 1), 5 * i + 1);
  }
  // mov eax, 60 (exit); xor edi, edi; syscall
  start.write("b83c00000031ff0f05", 5 * calls, "hex");
  return tinyElf([
    { name: "_start", code: start },
    { name, code: body },
  ]);
}
