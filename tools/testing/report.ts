/** What the test run shows: a line per file, then failures in full, then the reasons of all skips. */
import { inspect, styleText } from "node:util";
import type { Failure, FileResult } from "./run-file.ts";

/** Failures and skips of one file are shown under a title. */
const title = (file: string, path: readonly string[]): string => [file, ...path].join(" > ");

const indent = (text: string): string => text.replaceAll(/^(?=.)/gm, "    ");

/** The line of a file that has ended: `ok      src/core/units.test.ts  12 passed  0.2 s`, and below it what it measured. */
export function fileLine(result: FileResult): string {
  const { failures, unsteady = [], skips, passed, milliseconds } = result;
  const counts = [
    `${passed} passed`,
    failures.length > 0 && `${failures.length} failed`,
    unsteady.length > 0 && `${unsteady.length} at the second try`,
    skips.length > 0 && `${skips.length} skipped`,
  ].filter(Boolean);
  const seconds = `${(milliseconds / 1000).toFixed(1)} s`;
  const mark = failures.length > 0 ? styleText("red", "FAILED") : styleText("green", "ok    ");
  const line = `${mark}  ${result.file}  ${counts.join(", ")}  ${styleText("dim", seconds)}`;
  return [line, ...result.notes.map((note) => `        ${note}`)].join("\n");
}

/** What was thrown as text, without the frames of Node's own test runner, of which every stack has the same ten. */
export function causeText(cause: unknown): string {
  if (typeof cause === "string") return cause;
  const colors = process.stdout.isTTY && !process.env["NO_COLOR"];
  const text = inspect(cause, { colors, depth: 6, maxArrayLength: 50 });
  return text.replaceAll(/^.* at .*\(?node:(internal\/test_runner|async_hooks).*\n/gm, "");
}

/** Every failure of a file in full, with what the file printed. */
function failureText(result: FileResult): string {
  const block = (word: string, { path, cause }: Failure): string =>
    `${word}  ${title(result.file, path)}\n${indent(causeText(cause))}\n`;
  const blocks = [
    ...result.failures.map((failure) => block(styleText("red", "FAILED"), failure)),
    ...(result.unsteady ?? []).map((failure) => block(styleText("yellow", "FAILED ONCE"), failure)),
  ];
  if (result.output.trim() !== "") blocks.push(`output of ${result.file}:\n${indent(result.output.trimEnd())}\n`);
  return blocks.join("\n");
}

/** The skipped tests under their reasons, the commonest reason first. */
function skipText(results: readonly FileResult[]): string[] {
  const all = results.flatMap(({ file, skips }) => skips.map((skip) => ({ ...skip, file })));
  const reasons = [...Map.groupBy(all, (skip) => skip.reason)].toSorted((a, b) => b[1].length - a[1].length);
  return reasons.flatMap(([reason, skips]) => [
    `skipped ${skips.length}: ${reason}`,
    ...skips.map((skip) => `    ${title(skip.file, skip.path)}`),
  ]);
}

/** The closing line, which other programs read. */
function closingLine(results: readonly FileResult[]): string {
  const sum = (count: (result: FileResult) => number) => results.reduce((total, result) => total + count(result), 0);
  return `${sum((r) => r.passed)} passed, ${sum((r) => r.failures.length)} failed, ${sum((r) => r.skips.length)} skipped`;
}

/** All that stands below the lines of the files: failures in full, the reasons of skips, and the closing line. */
export function reportLines(results: readonly FileResult[], filters: readonly string[]): string[] {
  const failed = results.filter(({ failures, unsteady = [] }) => failures.length + unsteady.length > 0);
  const skips = skipText(results);
  return [
    ...failed.flatMap((result) => ["", failureText(result)]),
    ...(skips.length > 0 ? ["", ...skips] : []),
    ...(results.length === 0 ? [`no test file matches ${filters.join(" ") || "anything"}`] : []),
    "",
    closingLine(results),
  ];
}

/** Whether the run counts as passed: some test ran, and none failed. */
export const succeeded = (results: readonly FileResult[]): boolean =>
  results.some((result) => result.passed > 0) && results.every((result) => result.failures.length === 0);
