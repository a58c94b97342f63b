/** Plain tables: a header, columns as wide as they need to be, numbers to the right. */
import { styleText } from "node:util";
import type { Output } from "../context.ts";
import { printable } from "./printable.ts";

/** A column of a table. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: "left" | "right";
  cell(row: Row): string;
}

/** Bold, dim and the like, only on a terminal and only as emphasis: no meaning hangs on it. NO_COLOR is respected. */
export function style(format: Parameters<typeof styleText>[0], text: string, output: Output): string {
  return output.isTTY ? styleText(format, text, { stream: process.stdout }) : text;
}

/** How many terminal cells a text takes; combining marks take none. */
const width = (text: string): number => [...text.replaceAll(/\p{M}/gu, "")].length;

/** The lines of a table. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[], output: Output): string[] {
  const cells = rows.map((row) => columns.map((column) => printable(column.cell(row))));
  const widths = columns.map((column, i) => Math.max(width(column.title), ...cells.map((line) => width(line[i]!))));
  const pad = (text: string, i: number): string => {
    const fill = " ".repeat(widths[i]! - width(text));
    return columns[i]!.align === "right" ? fill + text : text + fill;
  };
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(text, i))
      .join("  ")
      .trimEnd();
  return [style("bold", line(columns.map((column) => column.title)), output), ...cells.map((texts) => line(texts))];
}
