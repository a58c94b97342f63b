/**
 * Writes docs/errors.md from the error registry: `npm run docs`. test/registry.test.ts fails when the page is not what
 * this gives.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ERRORS, type ErrorSpec } from "../src/core/codes.ts";
import { EXIT } from "../src/core/exit.ts";

/** Where the page lies. */
export const ERRORS_PAGE = join(import.meta.dirname, "../docs/errors.md");

/** What each part of the registry is about, by the first word of its codes, in the order of the page. */
const CHAPTERS: readonly (readonly [words: readonly string[], title: string])[] = [
  [["FILE"], "Files"],
  [["CONFIG"], "Configuration"],
  [["NETWORK"], "network.json"],
  [["DEVICES"], "ShapedDevices.csv"],
  [["SHAPER"], "The shaping tree"],
  [["LIBREQOS"], "LibreQoS's dialect"],
  [["BAKERY"], "The bakery"],
  [["DAEMON", "API", "LISTEN"], "The daemon"],
  [["REQUEST", "ROUTE", "METHOD", "TOKEN", "FORBIDDEN", "STATE", "TOO"], "Requests"],
  [[], "The machine and Sluice itself"],
];

const EXIT_MEANING: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: "done",
  failure: "it failed; nothing of it is left unless the text says so",
  changes: "`plan` found something to change",
  usage: "the command line is wrong",
  data: "the data files have errors",
  unavailable: "something it needs is not there: an interface, a kernel feature, the daemon, Node 24",
  permission: "it needs more rights; the text has the command that would work",
  config: "the configuration has errors",
  interrupted: "interrupted (Ctrl-C); what was done is taken back",
};

/** Template parameters are set off, and nothing of a text is Markdown. */
const text = (template: string): string =>
  template.replaceAll(/[<*_|\\]/g, String.raw`\$&`).replaceAll(/\{(\w+)\}/g, "`$1`");

function section(code: string, spec: ErrorSpec): string {
  const kind = spec.severity === "warning" ? "Warning" : `Exit ${spec.exit}, HTTP ${spec.status}`;
  return `### ${code}\n\n${kind}. ${text(spec.message)}.\n\n${text(spec.remedy)}.\n`;
}

/** The page, as Markdown. */
export function errorsDoc(): string {
  const left = new Map<string, ErrorSpec>(Object.entries(ERRORS));
  const chapters = CHAPTERS.map(([words, title]) => {
    const rows = [...left].filter(([code]) => words.length === 0 || words.includes(code.replace(/_.*/, "")));
    for (const [code] of rows) left.delete(code);
    return `## ${title}\n\n${rows.map(([code, spec]) => section(code, spec)).join("\n")}`;
  });
  const exits = Object.entries(EXIT).map(([name, number]) => `- ${number}: ${EXIT_MEANING[name as keyof typeof EXIT]}`);
  return `# Errors

<!-- Written by npm run docs from src/core/codes.ts; changes made here are lost. -->

Every error and warning has a code that never changes its meaning. Match on the code, not on the text. Words set like
\`this\` stand for a value of the moment.

An error is shown as where it stands, what is wrong, its code, and what to do about it. All errors of a file are shown
at once.

## Exit codes

${exits.join("\n")}

${chapters.join("\n")}`;
}

if (import.meta.main) writeFileSync(ERRORS_PAGE, errorsDoc());
