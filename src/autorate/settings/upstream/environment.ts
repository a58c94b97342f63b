/**
 * Variables of an environment: a file of `NAME=value` lines as `env` prints them or systemd reads them, or the bytes of
 * `/proc/PID/environ`, whose entries are parted by zeros. Nothing is expanded and nothing executed.
 */
import type { Position } from "../../../core/json.ts";
import type { UciFault } from "./uci-words.ts";

/** A variable; its place is missing when it came from no file. */
export interface Variable {
  readonly value: string;
  readonly where?: Position;
}

/** Variables by their names. */
export type Variables = ReadonlyMap<string, Variable>;

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/s;
/** Lines that are meant for the programs; what else there is need not be understood. */
const MEANT = /SQMA/i;

/** A value without the quotes around all of it. */
function unquoted(text: string): string {
  const value = text.trim();
  const quote = value.at(0);
  if (value.length < 2 || quote !== value.at(-1)) return value;
  if (quote === "'") return value.slice(1, -1);
  return quote === '"' ? value.slice(1, -1).replaceAll(/\\(["\\$`])/g, "$1") : value;
}

/** Reads a file; never throws. */
export function parseEnvironment(text: string): {
  readonly variables: Variables;
  readonly faults: readonly UciFault[];
} {
  const zeros = text.includes("\0");
  const variables = new Map<string, Variable>();
  const faults: UciFault[] = [];
  for (const [at, line] of text.split(zeros ? "\0" : /\r?\n/).entries()) {
    const where = { line: zeros ? 1 : at + 1, column: 1 };
    const [, name, value = ""] = LINE.exec(line) ?? [];
    if (name !== undefined) variables.set(name, { value: zeros ? value : unquoted(value), where });
    else if (MEANT.test(line) && !/^\s*#/.test(line))
      faults.push({ ...where, reason: `${JSON.stringify(line.trim())} is no NAME=value` });
  }
  return { variables, faults };
}

/** The environment of a process. */
export const variablesOf = (environment: Readonly<Record<string, string | undefined>>): Variables =>
  new Map(Object.entries(environment).flatMap(([name, value]) => (value === undefined ? [] : [[name, { value }]])));
