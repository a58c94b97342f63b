/** How sqm-autorate-rust reads single values, whatever source they come from. */
import { Refusal } from "../../../core/config-values.ts";

/** A kind of value; the refusal is the second half of `section.field: ...`. */
export interface RustValue<T> {
  readonly default?: T;
  readonly read: (text: string) => T | Refusal;
}

const TRUE = /^(?:1|true|yes|y|on|enabled)$/i;
const FALSE = /^(?:0|false|no|n|off|disabled)$/i;
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

/** A number. @param fault says why it cannot be that one */
export const real = (fault: (value: number) => string | undefined, usual?: number): RustValue<number> => ({
  ...(usual !== undefined && { default: usual }),
  read: (text) => {
    if (/^[+-]?(?:inf(?:inity)?|nan)$/i.test(text)) return new Refusal(`it is ${text}, wanted a finite number`);
    if (!NUMBER.test(text)) return new Refusal(`it is "${text}", wanted a number`);
    const value = Number(text);
    const reason = Number.isFinite(value) ? fault(value) : "wanted a finite number";
    return reason === undefined ? value : new Refusal(`it is ${text}, ${reason}`);
  },
});

/** More than nothing. */
export const positive = (usual?: number): RustValue<number> =>
  real((value) => (value > 0 ? undefined : "wanted more than 0"), usual);
/** Not less than nothing. */
export const notNegative = (usual: number): RustValue<number> =>
  real((value) => (value >= 0 ? undefined : "wanted 0 or more"), usual);

/** A whole number. */
export const count = (from: number, to: number, usual?: number): RustValue<number> =>
  real((value) => {
    const fits = Number.isInteger(value) && value >= from && value <= to;
    return fits ? undefined : `wanted a whole number from ${from} to ${to}`;
  }, usual);

/** One of its words for yes and no. */
export const truth = (usual: boolean): RustValue<boolean> => ({
  default: usual,
  read: (text) => {
    if (TRUE.test(text)) return true;
    return FALSE.test(text) ? false : new Refusal(`it is "${text}", wanted true or false`);
  },
});

/** A text that is not blank. */
export const text = (usual?: string): RustValue<string> => ({
  ...(usual !== undefined && { default: usual }),
  read: (value) => (value.trim() === "" ? new Refusal("it is blank") : value),
});

/** Any text. */
export const anyText = (usual: string): RustValue<string> => ({ default: usual, read: (value) => value });

/** One of some words, in any case. */
export const choice = <const W extends string>(words: readonly W[], usual: W): RustValue<W> => ({
  default: usual,
  read: (value) =>
    words.find((word) => word === value.toLowerCase().replaceAll("_", "-")) ??
    new Refusal(`it is "${value}", wanted one of ${words.join(", ")}`),
});
