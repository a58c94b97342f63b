/** Symbols of programs and libraries (64-bit ELF, little-endian): where in the file a function is. */

const SHT_SYMTAB = 2;
const SHT_DYNSYM = 11;
const PT_LOAD = 1;
const STT_FUNC = 2;
const STT_GNU_IFUNC = 10;

/** A function of a file. */
export interface FunctionSymbol {
  readonly name: string;
  /** Bytes from the beginning of the file. */
  readonly offset: number;
  readonly size: number;
}

interface Segment {
  readonly address: number;
  readonly size: number;
  readonly offset: number;
}

function segments(file: Buffer): Segment[] {
  const at = Number(file.readBigUInt64LE(32));
  const size = file.readUInt16LE(54);
  return Array.from({ length: file.readUInt16LE(56) }, (_, i) => at + i * size)
    .filter((header) => file.readUInt32LE(header) === PT_LOAD)
    .map((header) => ({
      offset: Number(file.readBigUInt64LE(header + 8)),
      address: Number(file.readBigUInt64LE(header + 16)),
      size: Number(file.readBigUInt64LE(header + 32)),
    }));
}

/** Functions with a place in the file. @throws TypeError when it is no such file */
export function functionSymbols(file: Buffer): FunctionSymbol[] {
  if (file.length < 64 || file.toString("latin1", 0, 4) !== "\x7fELF" || file[4] !== 2 || file[5] !== 1)
    throw new TypeError("it is not a 64-bit little-endian ELF file");
  const loads = segments(file);
  const at = Number(file.readBigUInt64LE(40));
  const size = file.readUInt16LE(58);
  const section = (index: number): { type: number; offset: number; bytes: number; link: number } => {
    const header = at + index * size;
    return {
      type: file.readUInt32LE(header + 4),
      offset: Number(file.readBigUInt64LE(header + 24)),
      bytes: Number(file.readBigUInt64LE(header + 32)),
      link: file.readUInt32LE(header + 40),
    };
  };
  const found: FunctionSymbol[] = [];
  for (let index = 0; index < file.readUInt16LE(60); index += 1) {
    const table = section(index);
    if (table.type !== SHT_SYMTAB && table.type !== SHT_DYNSYM) continue;
    const strings = section(table.link).offset;
    for (let symbol = table.offset; symbol < table.offset + table.bytes; symbol += 24) {
      const type = file.readUInt8(symbol + 4) & 0xf;
      const address = Number(file.readBigUInt64LE(symbol + 8));
      if ((type !== STT_FUNC && type !== STT_GNU_IFUNC) || address === 0) continue;
      const load = loads.find((s) => address >= s.address && address < s.address + s.size);
      if (!load) continue;
      const start = strings + file.readUInt32LE(symbol);
      const name = file.toString("latin1", start, file.indexOf(0, start));
      found.push({
        name,
        offset: address - load.address + load.offset,
        size: Number(file.readBigUInt64LE(symbol + 16)),
      });
    }
  }
  return found;
}
