/** Detail views: sections of labelled values, the values of a section in one column. */
import { printable } from "./printable.ts";

/** A labelled value; one that is absent is shown as `None`, several stand one a line. */
export type Entry = readonly [label: string, value: string | number | boolean | undefined | readonly string[]];

/** A section, indented below its title. */
export interface Section {
  readonly title: string;
  readonly entries: readonly Entry[];
}

const linesOf = (value: Entry[1]): string[] => {
  if (value === undefined) return ["None"];
  if (typeof value === "object") return value.length === 0 ? ["None"] : [...value];
  return [String(value)];
};

/** The lines of sections. */
export function sectionLines(sections: readonly Section[]): string[] {
  return sections.flatMap(({ title, entries }, i) => {
    const width = Math.max(...entries.map(([label]) => label.length)) + 1;
    const lines = entries.flatMap(([label, value]) =>
      linesOf(value).map((text, row) =>
        `  ${(row === 0 ? `${label}:` : "").padEnd(width + 1)}${printable(text)}`.trimEnd(),
      ),
    );
    return [...(i > 0 ? [""] : []), `${title}:`, ...lines];
  });
}
