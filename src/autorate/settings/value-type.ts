/** What the value of a key may be: how it is read, and what the documentation says of it. */
import { isIP } from "node:net";
import { rateIn } from "../../core/config-rate.ts";
import { filePath, interfaceName, type ReadValue, Refusal, shown } from "../../core/config-values.ts";

/** A kind of value. */
export interface ValueType<T> {
  /** As docs/configuration.md says it: `1 to 255`, `rate`. */
  readonly wanted: string;
  /** `ms`, `s`, `kbit/s`; absent for what has none, or brings its own. */
  readonly unit?: string;
  readonly read: ReadValue<T>;
}

/** A value that only has to be one of TOML's plain ones. */
export type Scalar = number | string | boolean;

const withUnit = (text: string, unit: string | undefined): string => (unit === undefined ? text : `${text} ${unit}`);

function numberType(from: number, to: number, unit: string | undefined, whole: boolean): ValueType<number> {
  const range = withUnit(`${from} to ${to}`, unit);
  const wanted = `wanted a ${whole ? "whole " : ""}number from ${range}`;
  return {
    wanted: range,
    ...(unit !== undefined && { unit }),
    read: (value) =>
      typeof value === "number" && value >= from && value <= to && (!whole || Number.isInteger(value))
        ? value
        : new Refusal(`it is ${shown(value)}, ${wanted}`),
  };
}

/** A number within bounds, both included. */
export const number = (from: number, to: number, unit?: string): ValueType<number> => numberType(from, to, unit, false);
/** A whole number within bounds. */
export const whole = (from: number, to: number, unit?: string): ValueType<number> => numberType(from, to, unit, true);

/** true or false. */
export const FLAG: ValueType<boolean> = {
  wanted: "true or false",
  read: (value) =>
    typeof value === "boolean" ? value : new Refusal(`it is ${shown(value)}, wanted true or false, without quotes`),
};

/** One of some words. */
export function word<const W extends string>(...all: readonly W[]): ValueType<W> {
  const list = all.map((each) => `"${each}"`).join(", ");
  return {
    wanted: all.map((each) => `\`"${each}"\``).join(", "),
    read: (value) => all.find((each) => each === value) ?? new Refusal(`it is ${shown(value)}, wanted one of ${list}`),
  };
}

/** An array, each of its items read by itself; not empty, and nothing twice. */
function listOf<T>(item: ReadValue<T>, wanted: string, example: string): ReadValue<readonly T[]> {
  return (value) => {
    if (!Array.isArray(value)) return new Refusal(`it is ${shown(value)}, wanted ${wanted}, such as ${example}`);
    const items: T[] = [];
    for (const [at, each] of (value as unknown[]).entries()) {
      const read = item(each);
      if (read instanceof Refusal) return new Refusal(`entry ${at + 1}: ${read.reason}`);
      if (items.includes(read)) return new Refusal(`${shown(each)} stands in it twice`);
      items.push(read);
    }
    return items.length > 0 ? items : new Refusal(`it is empty, wanted ${wanted}, such as ${example}`);
  };
}

/** Some of these words, in the order in which they are given. */
export function words<const W extends string>(...all: readonly W[]): ValueType<readonly W[]> {
  const one = word(...all);
  const example = JSON.stringify(all);
  return { wanted: `list of ${one.wanted}`, read: listOf(one.read, "a list of words", example) };
}

/** The path of a file. */
export const PATH: ValueType<string> = { wanted: "path", read: filePath };
/** Paths of files. */
export const PATHS: ValueType<readonly string[]> = {
  wanted: "list of paths",
  read: listOf(filePath, "a list of paths", '["/etc/sluice/plugins/rate_cap.lua"]'),
};
/** The name of a network interface. */
export const INTERFACE: ValueType<string> = { wanted: "interface", read: interfaceName };

/** An address of this machine. */
export const ADDRESS: ValueType<string> = {
  wanted: "address",
  read: (value) =>
    typeof value === "string" && isIP(value) !== 0
      ? value
      : new Refusal(`it is ${shown(value)}, wanted an IPv4 or IPv6 address, such as "192.0.2.7"`),
};

/** The name of a node. */
export const NODE: ValueType<string> = {
  wanted: "name of a node",
  read: (value) =>
    typeof value === "string" && value.trim() !== ""
      ? value
      : new Refusal(`it is ${shown(value)}, wanted the name of a node of network.json`),
};

const SLOWEST = 1000;
const FASTEST = 1e12;
const kbitRate = rateIn("kbit", SLOWEST, FASTEST);

/** A rate in kbit/s, from one of tc's texts or a plain number. */
export const RATE: ValueType<number> = {
  wanted: "rate",
  unit: "kbit/s",
  read: (value) => {
    const bits = kbitRate(value);
    return bits instanceof Refusal ? bits : bits / 1000;
  },
};

/** A number, a text, true or false. */
export const SCALAR: ValueType<Scalar> = {
  wanted: "number, text, true or false",
  read: (value) =>
    (typeof value === "number" && Number.isFinite(value)) || typeof value === "string" || typeof value === "boolean"
      ? value
      : new Refusal(`it is ${shown(value)}, wanted a number, a text, true or false`),
};
