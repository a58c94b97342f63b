/** BTF, the kernel's format of types (Documentation/bpf/btf.rst): reading, and writing what generated programs need. */

/** Kinds of types. */
export const BTF_KIND = {
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

const MAGIC = 0xeb9f;
const HEADER = 24;
const TYPE = 12;
const POINTER_SIZE = 8;

/** Bytes that follow a type, by its kind and its number of members. */
function tail(kind: number, count: number): number {
  switch (kind) {
    case BTF_KIND.INT:
    case BTF_KIND.VAR:
    case BTF_KIND.DECL_TAG:
      return 4;
    case BTF_KIND.ARRAY:
      return 12;
    case BTF_KIND.STRUCT:
    case BTF_KIND.UNION:
    case BTF_KIND.DATASEC:
    case BTF_KIND.ENUM64:
      return 12 * count;
    case BTF_KIND.ENUM:
    case BTF_KIND.FUNC_PROTO:
      return 8 * count;
    default:
      return 0;
  }
}

/** A type; what `size` holds is a size or another type's id, as its kind has it. */
export interface BtfType {
  readonly id: number;
  readonly kind: number;
  readonly name: string;
  readonly size: number;
  /** What follows. */
  readonly rest: Buffer;
}

/** Types by their ids, which count from 1. */
export class Btf {
  readonly types: readonly BtfType[];

  constructor(types: readonly BtfType[]) {
    this.types = types;
  }

  /** The id of the first type of a kind and name; undefined when there is none. */
  findByName(name: string, kind: number): number | undefined {
    return this.types.find((type) => type.kind === kind && type.name === name)?.id;
  }

  /** Bytes that a value of a type takes. */
  sizeOf(id: number, depth = 0): number {
    const type = this.types[id - 1];
    if (!type || depth > 32) return 0;
    switch (type.kind) {
      case BTF_KIND.PTR:
        return POINTER_SIZE;
      case BTF_KIND.ARRAY:
        return this.sizeOf(type.rest.readUInt32LE(0), depth + 1) * type.rest.readUInt32LE(8);
      case BTF_KIND.TYPEDEF:
      case BTF_KIND.VOLATILE:
      case BTF_KIND.CONST:
      case BTF_KIND.RESTRICT:
      case BTF_KIND.TYPE_TAG:
      case BTF_KIND.VAR:
        return this.sizeOf(type.size, depth + 1);
      default:
        return type.size;
    }
  }
}

/** Reads BTF. @throws RangeError when it is cut off, TypeError when it is none */
export function parseBtf(bytes: Uint8Array): Btf {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.readUInt16LE(0) !== MAGIC) throw new TypeError("Cannot read BTF: its magic number is another");
  const header = buffer.readUInt32LE(4);
  const types = header + buffer.readUInt32LE(8);
  const end = types + buffer.readUInt32LE(12);
  const strings = header + buffer.readUInt32LE(16);
  // Without the check a cut among the strings would go unseen: slices end early and names become empty.
  if (buffer.length < Math.max(end, strings + buffer.readUInt32LE(20)))
    throw new RangeError("Cannot read BTF: it is cut off");
  const text = (offset: number): string =>
    buffer.toString("latin1", strings + offset, buffer.indexOf(0, strings + offset));
  const found: BtfType[] = [];
  for (let at = types; at < end;) {
    const info = buffer.readUInt32LE(at + 4);
    const kind = (info >>> 24) & 0x1f;
    const length = tail(kind, info & 0xffff);
    const rest = buffer.subarray(at + TYPE, at + TYPE + length);
    found.push({
      id: found.length + 1,
      kind,
      name: text(buffer.readUInt32LE(at)),
      size: buffer.readUInt32LE(at + 8),
      rest,
    });
    at += TYPE + length;
  }
  return new Btf(found);
}

/** A global variable. */
export interface Variable {
  readonly name: string;
  /** Bytes from the beginning of its section. */
  readonly offset: number;
  readonly size: number;
}

/** Variables by the section they are in, `.rodata`, `.data`, `.bss`. */
export function dataSections(btf: Btf): Map<string, Variable[]> {
  const sections = new Map<string, Variable[]>();
  for (const type of btf.types) {
    // Sections of maps and of what the kernel fills in are not data that a user sets.
    if (type.kind !== BTF_KIND.DATASEC || !/^\.(rodata|data|bss)/.test(type.name)) continue;
    const variables = Array.from({ length: type.rest.length / 12 }, (_, i): Variable => {
      const id = type.rest.readUInt32LE(12 * i);
      const [offset, size] = [type.rest.readUInt32LE(12 * i + 4), type.rest.readUInt32LE(12 * i + 8)];
      return { name: btf.types[id - 1]?.name ?? "", offset, size: size || btf.sizeOf(id) };
    });
    sections.set(type.name, variables);
  }
  return sections;
}

const LINKAGE = { static: 0, global: 1 } as const;
const INT_SIGNED = 1 << 24;

/** Writes BTF type by type; every method returns the id of the type it adds. */
export class BtfBuilder {
  readonly #types: Buffer[] = [];
  #strings = "\0";
  #count = 0;

  /** An integer of so many bytes. */
  int(name: string, size: number, signed: boolean): number {
    const encoding = Buffer.alloc(4);
    encoding.writeUInt32LE((signed ? INT_SIGNED : 0) | (8 * size));
    return this.#add(BTF_KIND.INT, name, 0, size, encoding);
  }

  /** A structure of so many bytes, of whose members nothing is said. */
  struct(name: string, size: number): number {
    return this.#add(BTF_KIND.STRUCT, name, 0, size);
  }

  /** A pointer to a type. */
  pointer(to: number): number {
    return this.#add(BTF_KIND.PTR, "", 0, to);
  }

  /** What a function returns and takes. */
  funcProto(returns: number, parameters: readonly { readonly name: string; readonly type: number }[]): number {
    const rest = Buffer.alloc(8 * parameters.length);
    parameters.forEach(({ name, type }, i) => {
      rest.writeUInt32LE(this.#text(name), 8 * i);
      rest.writeUInt32LE(type, 8 * i + 4);
    });
    return this.#add(BTF_KIND.FUNC_PROTO, "", parameters.length, returns, rest);
  }

  /** A function; a global one is verified by itself. */
  func(name: string, proto: number, linkage: keyof typeof LINKAGE): number {
    return this.#add(BTF_KIND.FUNC, name, LINKAGE[linkage], proto);
  }

  /** All of it. */
  encode(): Buffer {
    const types = Buffer.concat(this.#types);
    const strings = Buffer.from(this.#strings, "latin1");
    const header = Buffer.alloc(HEADER);
    header.writeUInt16LE(MAGIC, 0);
    header.writeUInt8(1, 2);
    header.writeUInt32LE(HEADER, 4);
    header.writeUInt32LE(0, 8);
    header.writeUInt32LE(types.length, 12);
    header.writeUInt32LE(types.length, 16);
    header.writeUInt32LE(strings.length, 20);
    return Buffer.concat([header, types, strings]);
  }

  #text(text: string): number {
    if (text === "") return 0;
    const at = this.#strings.length;
    this.#strings += `${text}\0`;
    return at;
  }

  #add(kind: number, name: string, count: number, size: number, rest: Buffer = Buffer.alloc(0)): number {
    const head = Buffer.alloc(TYPE);
    head.writeUInt32LE(this.#text(name), 0);
    head.writeUInt32LE(kind * 2 ** 24 + count, 4);
    head.writeUInt32LE(size, 8);
    this.#types.push(Buffer.concat([head, rest]));
    this.#count += 1;
    return this.#count;
  }
}
