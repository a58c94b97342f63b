/** The table of test files by kernel: shown at the end of a run, and written into docs/kernels.md. */
import type { FileResult } from "../testing/run-file.ts";

/** What ran on one kernel. */
export interface Column {
  /** `6.1.176, user-mode` */
  readonly kernel: string;
  readonly results: readonly FileResult[];
}

const START = "<!-- results: written by `npm run test:vm -- --write-matrix` -->";
const END = "<!-- end of results -->";

function cell({ results }: Column, file: string): string {
  // Two guests may each have something to say of one file that is none of theirs: what the tests left behind.
  const all = results.filter((candidate) => candidate.file === file);
  if (all.length === 0) return "not run";
  const sum = (count: (result: FileResult) => number) => all.reduce((total, result) => total + count(result), 0);
  const counts = [
    [sum(({ passed }) => passed), "passed"],
    [sum(({ failures }) => failures.length), "failed"],
    [sum(({ skips }) => skips.length), "skipped"],
  ] as const;
  return counts.flatMap(([count, word]) => (count > 0 ? [`${count} ${word}`] : [])).join(", ");
}

/** The cells: a header, then a row per file, sorted. */
function matrix(columns: readonly Column[]): string[][] {
  const files = new Set(columns.flatMap(({ results }) => results.map(({ file }) => file)));
  return [
    ["Test file", ...columns.map(({ kernel }) => kernel)],
    ...[...files].toSorted().map((file) => [file, ...columns.map((column) => cell(column, file))]),
  ];
}

function padded(rows: readonly (readonly string[])[]): string[][] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) => row.map((text, i) => text.padEnd(widths[i]!)));
}

/** The table for a terminal. */
export const matrixText = (columns: readonly Column[]): string[] =>
  padded(matrix(columns)).map((row) => row.join("  ").trimEnd());

/** The table as Markdown, with the reasons of skips below it. */
export function matrixMarkdown(columns: readonly Column[]): string {
  const [header, ...rows] = padded(matrix(columns));
  const line = (row: readonly string[]): string => `| ${row.join(" | ")} |`;
  const rule = header!.map((text) => "-".repeat(text.length));
  const reasons = columns.flatMap(({ kernel, results }) => {
    const skips = results.flatMap(({ file, skips: all }) => all.map(({ reason }) => `${file}: ${reason}`));
    return [...Map.groupBy(skips, (skip) => skip)].map(([skip, all]) => `- ${kernel}, ${all.length} x ${skip}`);
  });
  const why = reasons.length > 0 ? ["", "Skipped:", "", ...reasons] : [];
  return [line(header!), line(rule), ...rows.map(line), ...why].join("\n");
}

/** The page with new results between its two marks. @throws Error when it has no marks */
export function withResults(page: string, results: string): string {
  const [start, end] = [page.indexOf(START), page.indexOf(END)];
  if (start < 0 || end < start) throw new Error(`Cannot write the results: the page lacks "${START}" and "${END}"`);
  return `${page.slice(0, start)}${START}\n\n${results}\n\n${page.slice(end)}`;
}
