/**
 * The second check of `ShapedDevices.csv`, by the Rust side of LibreQoS, whose parser differs from Python's: it cuts blanks
 * around cells, passes over blank lines and lines that begin with `#`, wants every row as long as the header, takes rates
 * from 0.01 Mbit/s without underscores, and drops addresses it cannot read without a word.
 */
import { readCsv, universalNewlines } from "../python/csv.ts";
import type { Report } from "../messages.ts";
import type { Explanation } from "../python/error.ts";
import { parseF32 } from "./f32.ts";

/** Compared in 32 bits, as rates are. */
const LEAST_RATE = Math.fround(0.01);
const RATE_CELLS = [8, 9, 10, 11];
const COMMENT_CELL = 12;

/** Why the Rust side refuses a file. */
export interface RustRefusal {
  /** The words it answers with. */
  readonly text: string;
  readonly reason: string;
  readonly line: number;
}

/** Bytes before a line of a text, whatever its line endings are. */
function bytesBefore(text: string, line: number): number {
  const ends = text.matchAll(/\r\n?|\n/g);
  const last = ends.drop(Math.max(0, line - 2)).next().value;
  return line === 1 || !last ? 0 : Buffer.byteLength(text.slice(0, last.index + last[0].length));
}

/** Looks a file through; undefined where it answers "OK". */
export function validateRust(text: string): RustRefusal | undefined {
  const [header, ...records] = readCsv(universalNewlines(text), { comment: "#" }).filter(
    ({ cells }) => cells.length > 0,
  );
  if (!header) return undefined;
  const wanted = header.cells.length;
  for (const { cells, line } of records) {
    if (cells.length !== wanted) {
      const place = `At line ${line}, position ${bytesBefore(text, line)}.`;
      const said = `UnequalLengths("${place} Expected ${wanted} fields, found ${cells.length}")`;
      return { text: said, reason: `The row has ${cells.length} cells, the first row has ${wanted}`, line };
    }
    for (const index of RATE_CELLS) {
      const cell = (cells[index] ?? "").trim();
      const rate = parseF32(cell);
      if (rate !== undefined && rate >= LEAST_RATE) continue;
      const said = `DeviceDecode("DEVICE DECODE: Err(CsvEntryParseError(\\"${cell}\\"))")`;
      return { text: said, reason: `A rate is "${cell}"`, line };
    }
    if (cells.length <= COMMENT_CELL) {
      return { text: "", reason: `The row has ${cells.length} cells, wanted ${COMMENT_CELL + 1}`, line };
    }
  }
  return undefined;
}

/** What is said of a refusal, for people. */
export const rustExplanation = ({ reason, line }: RustRefusal, file: string): Explanation => ({
  reason: `${reason}, which the Rust side of LibreQoS does not take`,
  remedy: "Give every row as many cells as the first, and rates as plain numbers of Mbit/s from 0.01",
  where: { file, line },
});

/** Asks it, and reports a refusal as LibreQoS does: two warnings. @returns whether it answered "OK" */
export function reportRust(text: string, file: string, report: Report): boolean {
  const refusal = validateRust(text);
  if (!refusal) return true;
  report.note("Rust failed to validate ShapedDevices.csv");
  report.refuse(refusal.text, rustExplanation(refusal, file));
  return false;
}
