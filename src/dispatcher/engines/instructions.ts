/** eBPF instructions: eight bytes each, opcode, registers (source in the high half), offset, immediate (linux/bpf.h). */

/** Bytes of an instruction. */
export const INSTRUCTION = 8;

/** Opcodes by what they do; `w` is the lower half of a register. */
export const OP = {
  /** r = r */
  MOV64: 0xbf,
  /** r = imm */
  MOV64_IMM: 0xb7,
  /** w = w */
  MOV32: 0xbc,
  /** w = imm */
  MOV32_IMM: 0xb4,
  /** w += imm */
  ADD32_IMM: 0x04,
  /** w <<= w */
  LSH32: 0x6c,
  /** w &= imm */
  AND32_IMM: 0x54,
  /** if w > imm, unsigned */
  JGT32_IMM: 0x26,
  /** if w == imm */
  JEQ32_IMM: 0x16,
  CALL: 0x85,
  EXIT: 0x95,
  /** Takes two instructions' room. */
  LD_IMM64: 0x18,
} as const;

/** What the immediate of a call or of an ld_imm64 means: stands where the source register else does. */
export const PSEUDO = { MAP_FD: 1, MAP_VALUE: 2, CALL: 1, FUNC: 4 } as const;

/** An instruction being read. */
export interface Instruction {
  readonly opcode: number;
  readonly destination: number;
  readonly source: number;
  readonly offset: number;
  readonly immediate: number;
}

/** Appends an instruction's bytes. */
export function instruction(opcode: number, registers: number, offset = 0, immediate = 0): Buffer {
  const bytes = Buffer.alloc(INSTRUCTION);
  bytes.writeUInt8(opcode, 0);
  bytes.writeUInt8(registers, 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(immediate | 0, 4);
  return bytes;
}

/** Reads the instruction at an index. */
export function readInstruction(code: Uint8Array, index: number): Instruction {
  const bytes = Buffer.from(code.buffer, code.byteOffset + index * INSTRUCTION, INSTRUCTION);
  const registers = bytes.readUInt8(1);
  return {
    opcode: bytes.readUInt8(0),
    destination: registers & 0xf,
    source: registers >>> 4,
    offset: bytes.readInt16LE(2),
    immediate: bytes.readInt32LE(4),
  };
}

/** The indexes of all instructions, without the second halves of the ones that are two long. */
export function* indexes(code: Uint8Array): Generator<number> {
  const count = code.length / INSTRUCTION;
  for (let i = 0; i < count; i += 1) {
    yield i;
    if (code[i * INSTRUCTION] === OP.LD_IMM64) i += 1;
  }
}

/** Where the functions of a program begin, ascending: its own start, and whatever is called or taken the address of. */
export function functionStarts(code: Uint8Array): number[] {
  const starts = new Set([0]);
  for (const i of indexes(code)) {
    const { opcode, source, immediate } = readInstruction(code, i);
    const local = (opcode === OP.CALL && source === PSEUDO.CALL) || (opcode === OP.LD_IMM64 && source === PSEUDO.FUNC);
    if (local) starts.add(i + immediate + 1);
  }
  return [...starts].toSorted((a, b) => a - b);
}
