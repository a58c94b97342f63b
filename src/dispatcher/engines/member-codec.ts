/**
 * A member's instructions as they are kept: as libbpf gave them after loading (relocated, its own functions behind it),
 * with the maps' descriptors, which are good in that process only, replaced by the maps' pins.
 */
import type { MapReference } from "../model.ts";
import { indexes, INSTRUCTION, OP, PSEUDO, readInstruction } from "./instructions.ts";

/** Instructions that can be loaded by any process that opens the maps. */
export interface MemberCode {
  readonly code: Buffer;
  readonly references: readonly MapReference[];
}

const IMMEDIATE = 4;

const refersToMap = (code: Uint8Array, index: number): boolean => {
  const { opcode, source } = readInstruction(code, index);
  return opcode === OP.LD_IMM64 && (source === PSEUDO.MAP_FD || source === PSEUDO.MAP_VALUE);
};

/**
 * Takes the descriptors out.
 *
 * @param pinOf the pin of the map behind a descriptor
 * @throws TypeError for a map that has no pin
 */
export function detachMaps(code: Uint8Array, pinOf: ReadonlyMap<number, string>): MemberCode {
  const kept = Buffer.from(code);
  const references: MapReference[] = [];
  for (const index of indexes(kept)) {
    if (!refersToMap(kept, index)) continue;
    const fd = kept.readInt32LE(index * INSTRUCTION + IMMEDIATE);
    const map = pinOf.get(fd);
    if (map === undefined) throw new TypeError(`Instruction ${index} refers to a map with the descriptor ${fd}`);
    references.push({ instruction: index, map });
    kept.writeInt32LE(0, index * INSTRUCTION + IMMEDIATE);
  }
  return { code: kept, references };
}

/** Puts this process's descriptors in. @throws TypeError for a map without one */
export function attachMaps(member: MemberCode, fds: ReadonlyMap<string, number>): Buffer {
  const code = Buffer.from(member.code);
  for (const { instruction, map } of member.references) {
    const fd = fds.get(map);
    if (fd === undefined) throw new TypeError(`The map "${map}" is not open`);
    code.writeInt32LE(fd, instruction * INSTRUCTION + IMMEDIATE);
  }
  return code;
}
