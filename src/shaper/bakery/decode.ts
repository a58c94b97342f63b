/** Commands from JSON, in LibreQoS's names; whatever is wrong with one is told at once. */
import { type Problem, problem } from "../../core/errors.ts";
import type { BakeryCommand } from "./model.ts";
import { refusal } from "./guard.ts";

/** What is wrong with a value: what was wanted. */
class Wanted {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

type Reader<T> = (value: unknown) => T | Wanted;

const MOST_MBPS = 1_000_000;
const LARGEST_U16 = 0xffff;

const text =
  (what: string, pattern: RegExp): Reader<string> =>
  (value) =>
    typeof value === "string" && pattern.test(value) ? value : new Wanted(what);

const device = text("the name of an interface", /^[^\s/]{1,15}$/);
const parent = text(
  "a class such as 0x1:0x3, or the HTB itself as 0x1:",
  /^(0x)?[0-9a-fA-F]{1,4}:((0x)?[0-9a-fA-F]{1,4})?$/,
);
const minor = text("a minor such as 0x4", /^0x[0-9a-fA-F]{1,4}$/);

const mbps: Reader<number> = (value) =>
  typeof value === "number" && value >= 0 && value <= MOST_MBPS ? value : new Wanted(`Mbit/s, 0 to ${MOST_MBPS}`);

const whole =
  (least: number, most: number): Reader<number> =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most
      ? (value as number)
      : new Wanted(`a whole number, ${least} to ${most}`);

/** Numbers beyond 2^53 are not what they were written as by the time JSON has been read: such hashes are texts. */
const hash: Reader<bigint> = (value) => {
  const wanted = new Wanted("a signed 64-bit number, as a text of digits beyond 2^53");
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : wanted;
  if (typeof value !== "string" || !/^-?\d{1,19}$/.test(value)) return wanted;
  const number = BigInt(value);
  return BigInt.asIntN(64, number) === number ? number : wanted;
};

const boolean: Reader<boolean> = (value) => (typeof value === "boolean" ? value : new Wanted("true or false"));

const list =
  (what: string, takes: (item: string) => boolean): Reader<readonly string[]> =>
  (value) =>
    Array.isArray(value) && value.every((item): item is string => typeof item === "string" && takes(item))
      ? value
      : new Wanted(what);

const words: Reader<readonly string[]> = (value) => {
  const found = list("at least one word for tc", (item) => /^[\w.%+-]+$/.test(item))(value);
  return found instanceof Wanted || found.length > 0 ? found : new Wanted("at least one word for tc");
};

/** Lines are judged one by one: the first that is not taken is named. */
const lines: Reader<readonly string[]> = (value) => {
  const found = list("lines for tc", () => true)(value);
  if (found instanceof Wanted) return found;
  const at = found.findIndex((line) => refusal(line) !== undefined);
  return at < 0 ? found : new Wanted(`commands on qdiscs and classes; line ${at + 1}: ${refusal(found[at]!)}`);
};

const comment: Reader<string> = (value) => (typeof value === "string" ? value : new Wanted("a text"));

/** A field: its name in JSON and in ours, its reader, and what it is when it is left out. */
type Field = readonly [json: string, ours: string, read: Reader<unknown>, usual?: unknown];

/** What LibreQoS's Python side takes for a class unless told. */
const USUAL_R2Q = 10;

const HTB_CLASS: readonly Field[] = [
  ["interface", "interface", device],
  ["parent", "parent", parent],
  ["classid", "classid", minor],
  ["rate_mbps", "rateMbps", mbps],
  ["ceil_mbps", "ceilMbps", mbps],
];
const R2Q: Field = ["r2q", "r2q", whole(1, Number.MAX_SAFE_INTEGER), USUAL_R2Q];

const FIELDS: Readonly<Record<BakeryCommand["kind"], readonly Field[]>> = {
  ClearPriorSettings: [],
  MqSetup: [],
  AddStructuralHTBClass: [...HTB_CLASS, ["site_hash", "siteHash", hash], R2Q],
  AddCircuitHTBClass: [...HTB_CLASS, ["circuit_hash", "circuitHash", hash], ["comment", "comment", comment, null], R2Q],
  AddCircuitQdisc: [
    ["interface", "interface", device],
    ["parent_major", "parentMajor", whole(1, LARGEST_U16)],
    ["parent_minor", "parentMinor", whole(1, LARGEST_U16)],
    ["circuit_hash", "circuitHash", hash],
    ["sqm_params", "sqmParams", words],
  ],
  ExecuteTCCommands: [
    ["commands", "commands", lines],
    ["force_mode", "forceMode", boolean, false],
  ],
};

const wrong = (what: string, wanted: string, value: unknown, remedy = `Send it as ${wanted}`): Problem => {
  const shown = value === undefined ? "missing" : JSON.stringify(value).slice(0, 100);
  return problem("BAKERY_COMMAND", { what, wanted, value: shown, remedy });
};

/** A command out of parsed JSON, `{ "command": "MqSetup" }`, or all that is wrong with it (BAKERY_COMMAND). */
export function decodeCommand(json: unknown): BakeryCommand | readonly Problem[] {
  if (typeof json !== "object" || json === null || Array.isArray(json)) return [wrong("a command", "an object", json)];
  const { command: kind, ...given } = json as Record<string, unknown>;
  const known = Object.keys(FIELDS);
  if (typeof kind !== "string" || !Object.hasOwn(FIELDS, kind))
    return [wrong("command", `one of ${known.join(", ")}`, kind)];
  const fields = FIELDS[kind as BakeryCommand["kind"]];
  const names = new Set(fields.map(([name]) => name));
  const problems = Object.keys(given)
    .filter((name) => !names.has(name))
    .map((name) =>
      wrong(`${kind}.${name}`, `nothing but ${[...names].join(", ") || "command"}`, given[name], "Leave it out"),
    );
  const values: Record<string, unknown> = { kind };
  for (const [name, ours, read, usual] of fields) {
    const value = given[name] ?? undefined;
    if (value === undefined && usual !== undefined) {
      if (usual !== null) values[ours] = usual;
      continue;
    }
    const found = read(value);
    if (found instanceof Wanted) problems.push(wrong(`${kind}.${name}`, found.what, value));
    else values[ours] = found;
  }
  return problems.length > 0 ? problems : (values as unknown as BakeryCommand);
}
