/** Words of the command line: programs, global data, metadata and ids as users write them. Pure. */
import { sluiceError } from "../core/errors.ts";
import { PROGRAM_TYPES, type ProgramType } from "./model.ts";
import type { ProgramRequest } from "./plan/load.ts";

/** The metadata key under which the application of a program stands. */
export const APPLICATION = "sluice/application";

const usage = (reason: string, command: string): never => {
  throw sluiceError("USAGE", { reason, command });
};

const LOAD = "sluice program load";
const isType = (text: string): text is ProgramType => PROGRAM_TYPES.includes(text as ProgramType);
const TARGETED: readonly ProgramType[] = ["fentry", "fexit"];

/** Parses `TYPE:FUNCTION[:ATTACH]`. @throws SluiceError USAGE */
export function parseProgram(word: string): ProgramRequest {
  const fail = (what: string): never => usage(`Cannot use the program "${word}": ${what}`, LOAD);
  const parts = word.split(":").map((part) => part.trim());
  const [type = "", name, attachFunction] = parts;
  if (word.trim() === "") return fail("it cannot be empty");
  if (parts.length < 2 || parts.length > 3)
    return fail("expected TYPE:NAME format, for fentry and fexit TYPE:NAME:ATTACH");
  if (type === "") return fail("its type cannot be empty");
  if (!isType(type)) return fail(`unknown type "${type}"; there are ${PROGRAM_TYPES.join(", ")}`);
  if (!name) return fail("its name cannot be empty");
  if (TARGETED.includes(type)) {
    if (!attachFunction) return fail(`${type} requires attach function: ${type}:${name}:FUNCTION`);
    return { type, name, attachFunction };
  }
  if (attachFunction !== undefined) return fail(`a ${type} program takes no attach function`);
  return { type, name };
}

/** Parses `NAME=HEX`; the digits are in lower case, in the order of memory. @throws SluiceError USAGE */
export function parseGlobal(word: string): readonly [name: string, hex: string] {
  const at = word.indexOf("=");
  const name = word.slice(0, at).trim();
  if (at < 0 || name === "") return usage(`Cannot use the global "${word}": expected NAME=HEX`, LOAD);
  const hex = word.slice(at + 1).replace(/^0x/i, "");
  if (!/^([0-9a-f]{2})*$/i.test(hex))
    return usage(`Cannot use the global "${word}": invalid hex data, wanted pairs of hex digits`, LOAD);
  return [name, hex.toLowerCase()];
}

/** Parses `KEY=VALUE`; the value may hold further equals signs, or nothing. @throws SluiceError USAGE */
export function parseMetadata(word: string): readonly [key: string, value: string] {
  const at = word.indexOf("=");
  if (at <= 0) return usage(`Cannot use the metadata "${word}": expected KEY=VALUE`, "sluice program load");
  const key = word.slice(0, at).trim();
  if (key === "") return usage(`Cannot use the metadata "${word}": its key cannot be empty`, "sluice program load");
  return [key, word.slice(at + 1)];
}

/** Parses an id, decimal or hex with 0x. @throws SluiceError USAGE */
export function parseId(word: string): number {
  const id = /^(0x[0-9a-f]+|\d+)$/i.test(word) ? Number(word) : Number.NaN;
  if (Number.isSafeInteger(id) && id > 0 && id < 2 ** 32) return id;
  return usage(
    `Cannot use the id "${word}": it must be a number above 0, decimal or hex with 0x`,
    "sluice program list",
  );
}
