/** The pieces of which tables of tc option words are made: what a word sets, and what the word after it may be. */
import { parseRate, parseSize, parseTime } from "../units.ts";

/** A qdisc while it is read. */
export type Draft = Record<string, unknown>;

/** A word of tc: it either sets something by itself, or takes a value. */
export type OptionWord =
  | { readonly takes: undefined; readonly apply: (draft: Draft) => void }
  | {
      /** What the value shall be, as in "wanted a rate such as 100mbit". */
      readonly takes: string;
      /** False when the text is no such value. */
      readonly apply: (draft: Draft, text: string) => boolean;
    };

/** The words of one kind of qdisc. */
export type Vocabulary = ReadonlyMap<string, OptionWord>;

/** A word that sets fields. */
export const sets = (fields: Draft): OptionWord => ({
  takes: undefined,
  apply: (draft) => {
    Object.assign(draft, fields);
  },
});

/** Words that each set one field to themselves: the modes of CAKE. */
export const modes = (key: string, words: readonly string[]): [string, OptionWord][] =>
  words.map((word) => [word, sets({ [key]: word })]);

/** A word whose value goes into a field. */
export const takes = (key: string, wanted: string, read: (text: string) => unknown): OptionWord => ({
  takes: wanted,
  apply: (draft, text) => {
    const value = read(text);
    if (value === undefined) return false;
    draft[key] = value;
    return true;
  },
});

const rounded = (value: number | undefined): number | undefined => value && Math.round(value);

/** A word that takes a rate above zero. */
export const rate = (key: string): OptionWord =>
  takes(key, "a rate above 0 such as 100mbit", (text) => parseRate(text) || undefined);

/** A word that takes a size in bytes. */
export const size = (key: string): OptionWord => takes(key, "a size such as 1600b", (text) => rounded(parseSize(text)));

/** A word that takes a time. */
export const time = (key: string): OptionWord => takes(key, "a time such as 50ms", (text) => rounded(parseTime(text)));

/** A word that takes a whole number in this range. */
export const whole = (key: string, min = 0, max = 0xffff_ffff): OptionWord =>
  takes(key, `a whole number from ${min} to ${max}`, (text) => {
    const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });

/** A word that takes a mask, in hex with 0x in front or decimal. */
export const mask = (key: string): OptionWord =>
  takes(key, "a mask of 32 bits such as 0xff", (text) => {
    const value = /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : Number.NaN;
    return value <= 0xffff_ffff ? value : undefined;
  });

/** A word that takes the minor number of a class, which tc reads as hex with or without 0x. */
export const minorNumber = (key: string): OptionWord =>
  takes(key, "a class minor in hex such as 0x2", (text) =>
    /^(?:0x)?[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : undefined,
  );
