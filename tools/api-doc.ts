/**
 * Writes the tables of docs/api.md and docs/daemon.md from what the daemon serves, and those about autorate's configuration
 * from its tables of keys: `npm run docs`. test/api-doc.test.ts fails when a page is not what this gives.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { routeRows } from "../src/api/routes.ts";
import { type ConditionSpec, CONDITIONS } from "../src/daemon/conditions.ts";
import { METRICS } from "../src/daemon/metrics.ts";
import { AUTORATE_PAGES } from "./autorate-doc.ts";
import { markdownTable } from "./markdown-table.ts";

const DOCS = join(import.meta.dirname, "../docs");

const routes = (): string =>
  markdownTable(
    ["route", "does", "right", "answers"],
    routeRows().map(([, { method, path, summary, access, answers, conditional }]) => [
      `\`${method} ${path}\``,
      summary,
      access,
      `${answers}${conditional ? ", tag" : ""}`,
    ]),
  );

const conditions = (): string =>
  markdownTable(
    ["code", "severity", "means", "remedy"],
    Object.entries<ConditionSpec>(CONDITIONS).map(([code, { severity, title, remedy }]) => [
      `\`${code}\``,
      severity,
      title,
      remedy,
    ]),
  );

const metrics = (): string =>
  markdownTable(
    ["metric", "type", "means"],
    METRICS.map(({ name, type, help }) => [`\`${name}\``, type, help]),
  );

/** The pages and what their tables are made by. */
const PAGES: Readonly<Record<string, Readonly<Record<string, () => string>>>> = {
  "api.md": { routes },
  "daemon.md": { conditions, metrics },
  ...AUTORATE_PAGES,
};

/** Every page: its path, what it holds, and what it shall hold. */
export function apiPages(): { readonly path: string; readonly is: string; readonly wanted: string }[] {
  return Object.entries(PAGES).map(([page, tables]) => {
    const path = join(DOCS, page);
    const is = readFileSync(path, "utf8");
    const wanted = Object.entries(tables).reduce((text, [name, make]) => {
      const marked = new RegExp(`(<!-- ${name}: [^>]*-->\n)[\\s\\S]*?(<!-- end -->)`);
      if (!marked.test(text)) throw new Error(`${page} has no place for ${name}`);
      return text.replace(marked, (_, head: string, end: string) => `${head}\n${make()}\n\n${end}`);
    }, is);
    return { path, is, wanted };
  });
}

if (import.meta.main) for (const { path, wanted } of apiPages()) writeFileSync(path, wanted);
