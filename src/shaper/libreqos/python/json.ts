/** `json.load` and `json.dumps(indent=4)`: the same texts accepted, and the same bytes written. */
import { type JsonValue, parseJson } from "../../../core/json.ts";
import { int, type PyNumber } from "./number.ts";
import { reprFloat } from "./repr.ts";

/** What a Python program makes of JSON. */
export type PyValue = null | boolean | string | PyNumber | readonly PyValue[] | PyDict;
/** A `dict`: keys in the order in which they first came. */
export type PyDict = ReadonlyMap<string, PyValue>;

/** Whether a value is a `dict`. */
export const isDict = (value: PyValue): value is PyDict => value instanceof Map;
/** Whether a value is a `list`. */
export const isList = (value: PyValue): value is readonly PyValue[] => Array.isArray(value);
/** Whether a value is an `int` or a `float`; a `bool` is another matter here. */
export const isNumber = (value: PyValue): value is PyNumber =>
  typeof value === "object" && value !== null && "kind" in value;

/** Name of a value's class, as Python's messages have it. */
export function typeName(value: PyValue): string {
  if (value === null) return "NoneType";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "str";
  if (isNumber(value)) return value.kind;
  return isDict(value) ? "dict" : "list";
}

function numberOf(value: number, text: string): PyNumber {
  if (!/^-?\d+$/.test(text)) return { kind: "float", value };
  return Number.isSafeInteger(value) ? int(value + 0) : { kind: "int", value, digits: text };
}

/** A repeated key keeps its first place and its last value. */
function valueOf(json: JsonValue): PyValue {
  switch (json.kind) {
    case "number":
      return numberOf(json.value, json.text);
    case "array":
      return json.items.map((item) => valueOf(item));
    case "object":
      return new Map(json.entries.map(({ key, value }) => [key, valueOf(value)]));
    case "null":
      return null;
    default:
      return json.value;
  }
}

/** Reads a JSON text, `NaN` and `Infinity` included; undefined when Python would raise JSONDecodeError. */
export function loadJson(text: string): PyValue | undefined {
  const { root, faults } = parseJson(text, { nonFinite: true });
  return root && faults.length === 0 ? valueOf(root) : undefined;
}

const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
};
const escapeOf = (char: string): string => SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A text in JSON, all of it ASCII. */
export const dumpText = (text: string): string => `"${text.replaceAll(/["\\]|[^ -~]/g, escapeOf)}"`;

const NON_FINITE: Readonly<Record<string, string>> = { nan: "NaN", inf: "Infinity", "-inf": "-Infinity" };

function dumpNumber(number: PyNumber): string {
  if (number.kind === "int") return number.digits ?? String(number.value);
  const text = reprFloat(number.value);
  return NON_FINITE[text] ?? text;
}

function dump(value: PyValue, margin: string): string {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return dumpText(value);
  if (isNumber(value)) return dumpNumber(value);
  const inner = `${margin}    `;
  const parts = isDict(value)
    ? Array.from(value, ([key, entry]) => `${dumpText(key)}: ${dump(entry, inner)}`)
    : value.map((item) => dump(item, inner));
  const [open, close] = isDict(value) ? ["{", "}"] : ["[", "]"];
  return parts.length === 0 ? open + close : `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}

/** `json.dumps(value, indent=4)`. */
export const dumpJson = (value: PyValue): string => dump(value, "");
