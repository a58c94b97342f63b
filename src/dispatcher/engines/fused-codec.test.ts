import assert from "node:assert/strict";
import { test } from "node:test";
import { BTF_KIND, parseBtf } from "../../linux/bpf/btf-codec.ts";
import { fuse } from "./fused-codec.ts";
import { functionStarts, indexes, instruction, INSTRUCTION, OP, PSEUDO, readInstruction } from "./instructions.ts";

const RETURN = Buffer.concat([instruction(OP.MOV64_IMM, 0, 0, 2), instruction(OP.EXIT, 0)]);
/** Calls a function of its own, two instructions on. */
const CALLER = Buffer.concat([instruction(OP.CALL, PSEUDO.CALL << 4, 0, 1), instruction(OP.EXIT, 0), RETURN]);

for (const family of ["xdp", "tc"] as const) {
  test(`${family}: every call leads to the first instruction of its member, and every jump to the end`, () => {
    for (const count of [0, 1, 5, 10]) {
      const members = Array.from({ length: count }, (_, i) => ({
        name: `m${i}`,
        code: i % 2 ? CALLER : RETURN,
        mask: 4,
      }));
      const { code, funcInfo } = fuse(family, members, "global");
      const entry = code.length / INSTRUCTION - members.reduce((sum, m) => sum + m.code.length / INSTRUCTION, 0);
      const calls: number[] = [];
      for (const i of indexes(code.subarray(0, entry * INSTRUCTION))) {
        const { opcode, immediate, offset } = readInstruction(code, i);
        if (opcode === OP.CALL) calls.push(i + immediate + 1);
        if (opcode === OP.JGT32_IMM || opcode === OP.JEQ32_IMM) assert.equal(i + offset + 1, entry - 1, "to the exit");
      }
      let at = entry;
      const wanted = members.map((m) => {
        const start = at;
        at += m.code.length / INSTRUCTION;
        return start;
      });
      assert.deepEqual(calls, wanted);
      assert.equal(readInstruction(code, entry - 1).opcode, OP.EXIT);
      assert.equal(readInstruction(code, entry - 2).immediate, family === "xdp" ? 2 : -1);
      const infos = Array.from({ length: funcInfo.length / 8 }, (_, i) => funcInfo.readUInt32LE(8 * i));
      assert.deepEqual(infos, functionStarts(code), "every function has its type, in order");
    }
  });
}

test("types: members are global or static, what they call is static, and names say which member", () => {
  for (const linkage of ["global", "static"] as const) {
    const { btf } = fuse("tc", [{ name: "guard", code: CALLER, mask: 4 }], linkage);
    const functions = parseBtf(btf).types.filter(({ kind }) => kind === BTF_KIND.FUNC);
    assert.deepEqual(
      functions.map(({ name }) => name),
      ["sluice_tc", "prog0_guard", "prog0_guard_2"],
    );
  }
});
