/**
 * The fused dispatcher: one program made of a generated entry and the members' own instructions behind it, for kernels
 * that do not let one program replace a function of another (BPF EXT). What a member sees, and when the chain goes on, is
 * the same as with slots.
 *
 * The entry calls each member and looks at its verdict:
 *
 *     r6 = ctx
 *     for each member:
 *       r1 = r6; call member
 *       w1 = w0                      for TC: w1 = w0 + 1, so that TC_ACT_UNSPEC is bit 0
 *       if w1 > 31 goto out          a verdict that no mask has a bit for ends the chain
 *       w2 = 1; w2 <<= w1; w2 &= mask
 *       if w2 == 0 goto out
 *     r0 = default                   XDP_PASS; TC_ACT_UNSPEC, as nobody decided
 *     out: exit
 *
 * Every function needs a BTF type, or the kernel refuses members that tail-call. A member's entry is given the linkage
 * "global" where the kernel knows the type of the context (it has BTF of its own), so that it is verified by itself, once,
 * and ten members cost no more than the sum of them. Elsewhere it is "static", and is verified along the way.
 */
import { BtfBuilder } from "../../linux/bpf/btf-codec.ts";
import type { VerdictFamily } from "../proceed-on.ts";
import { functionStarts, instruction, INSTRUCTION, OP, PSEUDO } from "./instructions.ts";

/** A member's instructions with their maps filled in, and what it proceeds on. */
export interface FusedMember {
  /** The C name of the function. */
  readonly name: string;
  readonly code: Uint8Array;
  readonly mask: number;
}

/** How the kernel shall take a member's entry. */
export type Linkage = "global" | "static";

/** A program ready to be loaded. */
export interface Fused {
  readonly code: Buffer;
  readonly btf: Buffer;
  /** Pairs of u32: index of a function's first instruction, its BTF type. */
  readonly funcInfo: Buffer;
}

/** XDP_PASS and TC_ACT_UNSPEC. */
const DEFAULT_VERDICT: Readonly<Record<VerdictFamily, number>> = { xdp: 2, tc: -1 };
/** The context's type as C names it. */
const CONTEXT: Readonly<Record<VerdictFamily, readonly [name: string, size: number]>> = {
  xdp: ["xdp_md", 24],
  tc: ["__sk_buff", 192],
};
const LAST_BIT = 31;
/** Registers as the second byte holds them: source in the high half. */
const R = (destination: number, source = 0): number => (source << 4) | destination;

/** Instructions per member, in the entry. */
const perMember = (family: VerdictFamily): number => (family === "tc" ? 9 : 8);

/** The entry; `starts` are the indexes of the members' first instructions. */
function entry(family: VerdictFamily, masks: readonly number[], starts: readonly number[]): Buffer {
  const per = perMember(family);
  const out = 1 + per * masks.length + 1;
  const parts = [instruction(OP.MOV64, R(6, 1))];
  const jump = (opcode: number, register: number, immediate: number): Buffer =>
    instruction(opcode, R(register), out - parts.length - 1, immediate);
  for (const [i, mask] of masks.entries()) {
    parts.push(instruction(OP.MOV64, R(1, 6)));
    parts.push(instruction(OP.CALL, R(0, PSEUDO.CALL), 0, starts[i]! - parts.length - 1));
    parts.push(instruction(OP.MOV32, R(1, 0)));
    if (family === "tc") parts.push(instruction(OP.ADD32_IMM, R(1), 0, 1));
    parts.push(jump(OP.JGT32_IMM, 1, LAST_BIT));
    parts.push(instruction(OP.MOV32_IMM, R(2), 0, 1));
    parts.push(instruction(OP.LSH32, R(2, 1)));
    parts.push(instruction(OP.AND32_IMM, R(2), 0, mask));
    parts.push(jump(OP.JEQ32_IMM, 2, 0));
  }
  parts.push(instruction(OP.MOV64_IMM, R(0), 0, DEFAULT_VERDICT[family]));
  parts.push(instruction(OP.EXIT, R(0)));
  return Buffer.concat(parts);
}

/** Joins members behind an entry; no members make a program that only gives the default verdict. */
export function fuse(family: VerdictFamily, members: readonly FusedMember[], linkage: Linkage): Fused {
  const length = 1 + perMember(family) * members.length + 2;
  const starts: number[] = [];
  let at = length;
  for (const { code } of members) {
    starts.push(at);
    at += code.length / INSTRUCTION;
  }
  const masks = members.map(({ mask }) => mask);

  const types = new BtfBuilder();
  const int = types.int("int", 4, true);
  const context = types.pointer(types.struct(...CONTEXT[family]));
  const entryProto = types.funcProto(int, [{ name: "ctx", type: context }]);
  const innerProto = types.funcProto(int, []);
  const functions: (readonly [start: number, type: number])[] = [
    [0, types.func(`sluice_${family}`, entryProto, "global")],
  ];
  for (const [i, { name, code }] of members.entries()) {
    for (const inner of functionStarts(code)) {
      const type =
        inner === 0
          ? types.func(`prog${i}_${name}`, entryProto, linkage)
          : types.func(`prog${i}_${name}_${inner}`, innerProto, "static");
      functions.push([starts[i]! + inner, type]);
    }
  }
  const funcInfo = Buffer.alloc(8 * functions.length);
  functions.forEach(([start, type], i) => {
    funcInfo.writeUInt32LE(start, 8 * i);
    funcInfo.writeUInt32LE(type, 8 * i + 4);
  });
  return {
    code: Buffer.concat([entry(family, masks, starts), ...members.map(({ code }) => code)]),
    btf: types.encode(),
    funcInfo,
  };
}
