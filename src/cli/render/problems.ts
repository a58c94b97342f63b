/** Problems for people: each with where it stands and its remedy, many of a kind folded. */
import { formatProblem, messageOf, type Problem, SluiceError } from "../../core/errors.ts";
import { printable } from "./printable.ts";

/** Warnings of one code beyond this many are counted instead of listed. */
const SHOWN = 5;

const line = (shown: Problem): string => printable(formatProblem(shown), { lines: true });

/** The lines that show problems in their order: of each kind of warning the first few, and at the end how many more. */
function problemLines(problems: readonly Problem[]): string[] {
  const seen = new Map<string, number>();
  const lines = problems.flatMap((problem) => {
    if (problem.severity === "error") return line(problem);
    const before = seen.get(problem.code) ?? 0;
    seen.set(problem.code, before + 1);
    return before < SHOWN ? line(problem) : [];
  });
  const folded = [...seen].filter(([, count]) => count > SHOWN);
  return [...lines, ...folded.map(([code, count]) => `... and ${count - SHOWN} more of ${code} (--json lists all)`)];
}

/** What is shown of anything thrown: every error, and some of the warnings beside them. */
export const errorText = (error: unknown): string =>
  error instanceof SluiceError ? problemLines(error.problems).join("\n") : messageOf(error);

/** The lines that show warnings: some of each code together, and how many more there are. */
export const warningLines = (warnings: readonly Problem[]): string[] =>
  [...Map.groupBy(warnings, ({ code }) => code).values()].flatMap((alike) => problemLines(alike));

/** A plan's actions as text, one a line. */
export const planLines = (actions: readonly { readonly sign: string; readonly text: string }[]): string[] =>
  actions.map(({ sign, text }) => `${sign} ${text}`);

/** A summary as it is formatted. */
export const signCount = (summary: { readonly add: number; readonly change: number; readonly remove: number }) => ({
  "+": summary.add,
  "~": summary.change,
  "-": summary.remove,
});
