/** What benches say: tables in Markdown, each row with its target and whether it was met. */
import type { Sample } from "./sample.ts";

/** What must hold for the medians: at most this share of the peer's, or at most so many milliseconds. */
export type Target = { readonly ratio: number } | { readonly milliseconds: number };

/** One comparison, or one measurement without a peer. */
export interface Row {
  readonly what: string;
  readonly ours: Sample;
  readonly peer?: { readonly name: string; readonly sample: Sample };
  readonly target?: Target;
}

/** Something that is wanted, and cannot be said by two medians. */
export interface Bound {
  readonly what: string;
  /** What was measured. */
  readonly numbers: string;
  /** Undefined when it was not measured. */
  readonly met: boolean | undefined;
}

/** Rows under a heading, with what else is to be said about them. */
export interface Section {
  readonly title: string;
  /** What the numbers are. Default milliseconds. */
  readonly unit?: string;
  readonly rows: readonly Row[];
  /** Any other table, its header first. */
  readonly table?: readonly (readonly string[])[];
  readonly bounds?: readonly Bound[];
  readonly remarks?: readonly string[];
}

/** Ours by the peer's, by their medians; undefined without a peer. */
const ratioOf = ({ ours, peer }: Row): number | undefined => peer && ours.median / peer.sample.median;

/** Whether a row's target is met; undefined when it has none. */
export function isMet(row: Row): boolean | undefined {
  if (!row.target) return undefined;
  if ("milliseconds" in row.target) return row.ours.median <= row.target.milliseconds;
  const ratio = ratioOf(row);
  if (ratio === undefined) throw new TypeError(`Cannot judge "${row.what}" by a ratio: it has no peer`);
  return ratio <= row.target.ratio;
}

/** A number to three digits, without an exponent: `1,234`, `56.7`, `0.089`. */
export const formatNumber = (value: number): string =>
  value.toLocaleString("en", value >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });

const formatSample = ({ median, min, max }: Sample): string =>
  `${formatNumber(median)} (${formatNumber(min)}..${formatNumber(max)})`;

function formatTarget(target: Target | undefined): string {
  if (!target) return "";
  return "ratio" in target ? `<= ${formatNumber(target.ratio)}` : `<= ${formatNumber(target.milliseconds)} ms`;
}

const VERDICTS = new Map([
  [true, "PASS"],
  [false, "FAIL"],
]);

function cells(row: Row): string[] {
  const ratio = ratioOf(row);
  return [
    row.what,
    formatSample(row.ours),
    row.peer ? formatSample(row.peer.sample) : "",
    row.peer?.name ?? "",
    ratio === undefined ? "" : formatNumber(ratio),
    formatTarget(row.target),
    VERDICTS.get(isMet(row)!) ?? "",
  ];
}

const headerOf = (unit: string): string[] => [
  `${unit}: median (min..max)`,
  "ours",
  "peer",
  "the peer is",
  "ours / peer",
  "target",
  "",
];

/** A table as Markdown that can be read in a terminal as well, its header first. Columns that are empty throughout are left out. */
function formatTable([header = [], ...body]: readonly (readonly string[])[]): string[] {
  const used = header.flatMap((_, column) => (body.some((line) => line[column] !== "") ? [column] : []));
  const table = [header, ...body].map((line) => used.map((column) => line[column]!));
  const widths = used.map((_, column) => Math.max(3, ...table.map((line) => line[column]!.length)));
  const format = (line: readonly string[]): string =>
    `| ${line.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  const rule = format(widths.map((width) => "-".repeat(width)));
  return [format(table[0]!), rule, ...table.slice(1).map((line) => format(line)), ""];
}

/** A section as Markdown. */
export function formatSection({ title, unit = "milliseconds", rows, table, bounds, remarks = [] }: Section): string {
  const lines = [`### ${title}`, ""];
  if (rows.length > 0) lines.push(...formatTable([headerOf(unit), ...rows.map((row) => cells(row))]));
  if (table) lines.push(...formatTable(table));
  if (bounds) {
    const verdicts = bounds.map(({ what, numbers, met }) => [what, numbers, VERDICTS.get(met!) ?? "not measured"]);
    lines.push(...formatTable([["wanted", "measured", "met"], ...verdicts]));
  }
  return [...lines, ...remarks.flatMap((remark) => [remark, ""])].join("\n");
}
