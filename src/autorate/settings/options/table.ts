/** Tables of options. */
import type { UpstreamName } from "../names.ts";
import { Refusal } from "../../../core/config-values.ts";
import type { Scalar, ValueType } from "../value-type.ts";

/** A row: an option of a controller. */
export interface OptionKey<T extends Scalar = Scalar> {
  readonly type: ValueType<T>;
  readonly default: T;
  /** One line. */
  readonly help: string;
  /** What sqm-autorate and sqm-autorate-rust call it. */
  readonly upstream?: UpstreamName;
}

/** Options of one controller by their keys. */
export type OptionTable = Readonly<Record<string, OptionKey>>;

/** What a table gives: a value for each of its keys. */
export type OptionValues<T extends OptionTable> = {
  readonly [K in keyof T]: T[K] extends { readonly type: ValueType<infer V> } ? V : never;
};

/**
 * The options of a link, typed, what was left out being the default.
 *
 * @throws TypeError for a value that the table refuses; the reader of `sluice.toml` lets none through
 */
export function optionValues<T extends OptionTable>(
  table: T,
  given: Readonly<Record<string, Scalar>>,
): OptionValues<T> {
  const entries = Object.entries(table).map(([key, { type, default: usual }]) => {
    const value = Object.hasOwn(given, key) ? type.read(given[key]) : usual;
    if (value instanceof Refusal) throw new TypeError(`Cannot use the option ${key}: ${value.reason}`);
    return [key, value] as const;
  });
  // Each entry is what its own row reads.
  return Object.fromEntries(entries) as OptionValues<T>;
}
