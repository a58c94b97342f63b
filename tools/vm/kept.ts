/** What ran last on each kernel, kept between runs for the table in docs/kernels.md: files in `.vm/results`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tellable } from "./job.ts";
import type { Column } from "./matrix.ts";

const folderOf = (root: string): string => join(root, ".vm/results");

/** Keeps a column in the place of the one that the same kernel had. */
export function keep(root: string, column: Column): void {
  const folder = folderOf(root);
  mkdirSync(folder, { recursive: true });
  const results = column.results.map(tellable);
  writeFileSync(join(folder, `${encodeURIComponent(column.kernel)}.json`), JSON.stringify({ ...column, results }));
}

/** All that is kept, by the order of their numbers: machines' own kernels first, then those that were booted. */
export function readKept(root: string): Column[] {
  const folder = folderOf(root);
  if (!existsSync(folder)) return [];
  const columns = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Column);
  const rank = ({ kernel }: Column): number => ["user-mode", "QEMU"].findIndex((title) => kernel.endsWith(title));
  return columns.toSorted((a, b) => rank(a) - rank(b) || a.kernel.localeCompare(b.kernel, "en", { numeric: true }));
}
