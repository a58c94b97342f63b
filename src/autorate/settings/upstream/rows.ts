/** Every setting of sqm-autorate and sqm-autorate-rust, from the tables of keys and options and the list of those without one. */
import { ALL_LINK_KEYS } from "../keys.ts";
import type { SqmProgram, UpstreamName } from "../names.ts";
import { EWMA_OPTIONS } from "../options/ewma.ts";
import { FOREIGN_SETTINGS } from "./foreign.ts";

/** A setting, with what it is here. */
export interface UpstreamRow {
  readonly name: UpstreamName;
  /** Keys of a link, `options.x` for an option of `ewma`; none when there is no such thing here. */
  readonly keys: readonly string[];
  /** Why there is none. */
  readonly instead?: string;
}

/** Rows by `section.field`, in the order of the tables. */
export const UPSTREAM_ROWS: ReadonlyMap<string, UpstreamRow> = (() => {
  const rows = new Map<string, UpstreamRow>();
  const add = (name: UpstreamName, key: string): void => {
    rows.set(name.field, { name, keys: [...(rows.get(name.field)?.keys ?? []), key] });
  };
  for (const { name, upstream } of ALL_LINK_KEYS) if (upstream) add(upstream, name);
  for (const [key, row] of Object.entries(EWMA_OPTIONS)) if ("upstream" in row) add(row.upstream, `options.${key}`);
  for (const { name, instead } of FOREIGN_SETTINGS) rows.set(name.field, { name, keys: [], instead });
  return rows;
})();

/** The row of a setting. @throws TypeError for a name that no table has */
export function upstreamRow(field: string): UpstreamRow {
  const row = UPSTREAM_ROWS.get(field);
  if (!row) throw new TypeError(`No table has the setting ${field}`);
  return row;
}

/** The settings that a program knows. */
export const namesOf = (program: SqmProgram): UpstreamName[] =>
  [...UPSTREAM_ROWS.values()].map(({ name }) => name).filter(({ programs }) => programs.includes(program));
