/** Problems for people: each with where it stands and its remedy, many of a kind folded. */
import { formatProblem, type Problem } from "../../core/errors.ts";

/** Warnings of one code beyond this many are counted instead of listed. */
const SHOWN = 5;

/** The lines that show warnings: some of each code, and how many more there are. */
export function warningLines(warnings: readonly Problem[]): string[] {
  return [...Map.groupBy(warnings, ({ code }) => code)].flatMap(([code, all]) => {
    const lines = all.slice(0, SHOWN).map((warning) => formatProblem(warning));
    const more = all.length - SHOWN;
    return more > 0 ? [...lines, `... and ${more} more of ${code} (--json lists all)`] : lines;
  });
}
