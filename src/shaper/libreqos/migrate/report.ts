/** A migration's findings for people: what each is about, folded when there are many. */
import type { Finding, FindingItem } from "./finding.ts";
import type { Migration } from "./migrate.ts";

/** Items of a finding that are shown; the others are counted. */
const SHOWN = 5;

const HEADS: Readonly<Record<Finding["kind"], string>> = { same: "=", different: "~", refused: "!" };

function placeOf({ where }: FindingItem): string {
  const line = where?.line === undefined ? "" : ` (line ${where.line})`;
  return where?.line === undefined && where?.path !== undefined ? ` (${where.path})` : line;
}

function linesOf({ kind, title, why, items }: Finding): string[] {
  const shown = items.slice(0, SHOWN).map((item) => `    ${item.subject}${placeOf(item)}: ${item.text}`);
  const more = items.length - shown.length;
  return [
    `${HEADS[kind]} ${title}`,
    `  ${why}.`,
    ...shown,
    ...(more > 0 ? [`    ... and ${more} more (--json has all)`] : []),
  ];
}

/** The lines of the report. */
export function reportLines({ findings, ready }: Migration): string[] {
  const verdict = ready
    ? "Ready: sluice takes the files as they are. Nothing was changed."
    : "Not ready: mend what is marked with ! first. Nothing was changed.";
  return [
    "= stays, ~ is otherwise, ! has to be mended",
    "",
    ...findings.flatMap((finding) => [...linesOf(finding), ""]),
    verdict,
  ];
}
