/** Which engine this kernel runs: found out by trying to load the smallest extension of the smallest program. */
import { messageOf } from "../../core/errors.ts";
import { BtfBuilder } from "../../linux/bpf/btf-codec.ts";
import { loadBtf } from "../../linux/bpf/btf.ts";
import { loadProgram, PROGRAM_TYPE } from "../../linux/bpf/program.ts";
import type { Fd } from "../../linux/fd.ts";
import type { EngineName } from "../model.ts";
import { instruction, OP, PSEUDO } from "./instructions.ts";

/** What was found out, with the kernel's reason when it has no freplace. */
export interface EngineProbe {
  readonly engine: EngineName;
  readonly reason?: string;
}

/** BTF of `int main(struct xdp_md *)` and `int slot(struct xdp_md *)`. */
function slotTypes(): { readonly bytes: Buffer; readonly main: number; readonly slot: number } {
  const types = new BtfBuilder();
  const int = types.int("int", 4, true);
  const proto = types.funcProto(int, [{ name: "ctx", type: types.pointer(types.struct("xdp_md", 24)) }]);
  const main = types.func("main", proto, "global");
  const slot = types.func("slot", proto, "global");
  return { bytes: types.encode(), main, slot };
}

const pair = (...numbers: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((value, i) => bytes.writeUInt32LE(value, 4 * i));
  return bytes;
};

const RETURN_PASS = [instruction(OP.MOV64_IMM, 0, 0, 2), instruction(OP.EXIT, 0)];

function tryExtension(owned: DisposableStack): Fd {
  const { bytes, main, slot } = slotTypes();
  const types = owned.use(loadBtf(bytes));
  const target = owned.use(
    loadProgram({
      type: PROGRAM_TYPE.XDP,
      name: "sluice_probe",
      code: Buffer.concat([instruction(OP.CALL, PSEUDO.CALL << 4, 0, 1), instruction(OP.EXIT, 0), ...RETURN_PASS]),
      license: "GPL",
      btf: { fd: types, funcInfo: pair(0, main, 2, slot) },
    }),
  );
  return owned.use(
    loadProgram({
      type: PROGRAM_TYPE.EXT,
      name: "sluice_probe",
      code: Buffer.concat(RETURN_PASS),
      license: "GPL",
      btf: { fd: types, funcInfo: pair(0, slot) },
      extends: { program: target, btfId: slot },
    }),
  );
}

let known: EngineProbe | undefined;

/** Finds out, once per process. */
export function probeEngine(): EngineProbe {
  if (known) return known;
  using owned = new DisposableStack();
  try {
    tryExtension(owned);
    known = { engine: "freplace" };
  } catch (error) {
    known = { engine: "fused", reason: messageOf(error) };
  }
  return known;
}
