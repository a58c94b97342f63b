/** What a row of the tables of keys says, and how rows for both directions are written once. */
import type { Direction } from "../../core/both.ts";
import type { UpstreamName } from "./names.ts";
import type { ValueType } from "./value-type.ts";

/** A key of `sluice.toml`. `{direction}`, `{dl}` and `{d}` in texts stand for download, dl, d or upload, ul, u. */
export interface Key<T> {
  readonly name: string;
  readonly type: ValueType<T>;
  /** What holds when it is left out; absent when that is nothing, or made from other keys. */
  readonly default?: T;
  /** In its place with the controllers of these names. */
  readonly defaultWith?: Readonly<Record<string, T>>;
  /** For the documentation, where {@link default} does not tell. */
  readonly usual?: string;
  /** A value as TOML writes it. */
  readonly example: string;
  /** One line. */
  readonly help: string;
  /** May stand in `[autorate]`, for all links. */
  readonly common?: boolean;
  /** What sqm-autorate and sqm-autorate-rust call it. */
  readonly upstream?: UpstreamName;
  /** The variable of cake-autorate. */
  readonly cake?: string;
}

const SHORT: Readonly<Record<Direction, string>> = { download: "dl", upload: "ul" };

/** A text for a direction. */
export const directed = (text: string, direction: Direction): string =>
  text
    .replaceAll("{direction}", direction)
    .replaceAll("{dl}", SHORT[direction])
    .replaceAll("{d}", SHORT[direction].slice(0, 1));

/** A row for a direction. */
export function directedKey<T>(key: Key<T>, direction: Direction): Key<T> {
  const to = (text: string): string => directed(text, direction);
  const { upstream, cake } = key;
  return {
    ...key,
    name: to(key.name),
    example: to(key.example),
    help: to(key.help),
    ...(key.usual !== undefined && { usual: to(key.usual) }),
    ...(upstream && {
      upstream: {
        ...upstream,
        field: to(upstream.field),
        ...(upstream.flags && { flags: upstream.flags.map((flag) => to(flag)) }),
      },
    }),
    ...(cake !== undefined && { cake: to(cake) }),
  };
}

/** What holds when a key is left out, with this controller. */
export const defaultOf = <T>(key: Key<T>, controller: string): T | undefined =>
  key.defaultWith?.[controller] ?? key.default;
