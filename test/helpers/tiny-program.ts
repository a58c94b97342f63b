/** The smallest programs there are, for tests of what holds a program and not of what it does. */
import { loadProgram } from "../../src/linux/bpf/program.ts";
import type { Fd } from "../../src/linux/fd.ts";

/** The instructions `r0 = verdict; exit`. */
export function returning(verdict: number): Buffer {
  const code = Buffer.from("b7000000000000009500000000000000", "hex");
  code.writeInt32LE(verdict, 4);
  return code;
}

/** Loads a program of a type that returns a number and does nothing else. @throws BpfLoadError */
export const tinyProgram = (type: number, verdict: number, name = "sluice_tiny"): Fd =>
  loadProgram({ type, name, code: returning(verdict), license: "GPL" });
