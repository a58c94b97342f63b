/**
 * Socket filters as extended programs (eBPF), which see what a classic one does not: whether a frame is an aggregate of many
 * that nothing but the kernel could take apart.
 */
import { loadProgram, PROGRAM_TYPE } from "../bpf/program.ts";
import { check } from "../errno.ts";
import { setsockopt } from "../ffi.ts";
import {
  AD_IFINDEX,
  AD_PKTTYPE,
  AD_PROTOCOL,
  AD_VLAN_TAG_PRESENT,
  type Instruction,
  instructionsOf,
  OP,
  type SocketFilter,
} from "./socket-filter.ts";

const SOL_SOCKET = 1;
const SO_ATTACH_BPF = 50;

const LOAD_CONTEXT = 0x61;
const JUMP = 0x05;
const EQUAL_32 = 0x16;
const MOVE = 0xbf;
const MOVE_32 = 0xb4;
const TO_BIG_ENDIAN = 0xdc;
const EXIT = 0x95;
/** Loads from the frame want the context there, and put what they have read into register 0. */
const CONTEXT = 6;

/** Where struct __sk_buff has what a classic filter loads by these numbers. */
const FIELDS: ReadonlyMap<number, number> = new Map([
  [AD_PKTTYPE, 4],
  [AD_PROTOCOL, 16],
  [AD_VLAN_TAG_PRESENT, 20],
  [AD_IFINDEX, 40],
]);
const GSO_SIZE = 176;
/** Less than any frame has, so that what is left of an aggregate is seen to be cut. */
const CUT = 1;

interface Fields {
  readonly to?: number;
  readonly from?: number;
  readonly offset?: number;
  readonly value?: number;
}

function extended(code: number, { to = 0, from = 0, offset = 0, value = 0 }: Fields = {}): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(code, 0);
  bytes.writeUInt8(to | (from << 4), 1);
  bytes.writeInt16LE(offset, 2);
  bytes.writeInt32LE(value | 0, 4);
  return bytes;
}

const NOTHING_DONE = extended(MOVE);

/** Two instructions for each classic one, so that jumps go twice as far. @param left instructions after this one */
function translated([code, yes, no, operand]: Instruction, left: number): readonly [Buffer, Buffer] {
  const field = code === OP.LOAD ? FIELDS.get(operand) : undefined;
  if (field !== undefined) {
    const load = extended(LOAD_CONTEXT, { from: CONTEXT, offset: field });
    return [load, operand === AD_PROTOCOL ? extended(TO_BIG_ENDIAN, { value: 16 }) : NOTHING_DONE];
  }
  if (code === OP.EQUAL)
    return [extended(EQUAL_32, { offset: 2 * yes + 1, value: operand }), extended(JUMP, { offset: 2 * no })];
  if (code !== OP.RETURN) return [extended(code, { value: operand }), NOTHING_DONE];
  const end = operand === 0 ? extended(EXIT) : extended(JUMP, { offset: 2 * left });
  return [extended(MOVE_32, { value: operand }), end];
}

/**
 * Attaches a program, in place of the one that was, by which one byte alone comes of an aggregate: it can be counted, and be taken for
 * nothing else. Wants Linux 5.7, and the right to load programs.
 *
 * @param program that takes something
 * @throws SystemError, BpfLoadError
 */
export function attachCutting(fd: number, program: SocketFilter): void {
  const classic = instructionsOf(program);
  const code = Buffer.concat([
    extended(MOVE, { to: CONTEXT, from: 1 }),
    ...classic.flatMap((instruction, index) => translated(instruction, classic.length - 1 - index)),
    // What is to be returned for a frame that is wanted is in register 0.
    extended(LOAD_CONTEXT, { to: 1, from: CONTEXT, offset: GSO_SIZE }),
    extended(EQUAL_32, { to: 1, offset: 1 }),
    extended(MOVE_32, { value: CUT }),
    extended(EXIT),
  ]);
  using loaded = loadProgram({ type: PROGRAM_TYPE.SOCKET_FILTER, name: "sluice_relay", code, license: "GPL" });
  check("SO_ATTACH_BPF", setsockopt(fd, SOL_SOCKET, SO_ATTACH_BPF, Int32Array.of(loaded.number), 4));
}
