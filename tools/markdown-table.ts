/** Tables in Markdown, set as oxfmt sets them. */

const cell = (text: string): string => text.replaceAll("|", String.raw`\|`);

/** A table; every row has as many cells as the head. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, 3, ...rows.map((row) => cell(row[i]!).length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((text, i) => cell(text).padEnd(widths[i]!)).join(" | ")} |`;
  return [
    line(head),
    `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`,
    ...rows.map((row) => line(row)),
  ].join("\n");
}
