/**
 * A reader for comma-separated values (RFC 4180) that knows where every cell stands and goes on after broken quoting at
 * the next line, so that one run shows every fault. Beyond the RFC, as spreadsheets and people write: any line ending,
 * blanks around cells (cut off, inside quotes too), a quote in the middle of an unquoted cell (taken as it is), blank
 * lines and lines whose first character is `#` (passed over).
 *
 * This is not csv-parse because that drops everything behind the first broken quote when it also trims, knows no
 * columns, and takes five times as long.
 */
import type { Position } from "./json.ts";

/** One record. */
export interface CsvRow {
  /** Trimmed and unquoted. */
  readonly cells: readonly string[];
  /** Line and column of its first cell. */
  readonly line: number;
  readonly column: number;
  /** Offset of each cell's first character (of its quote, when quoted) in the text. */
  readonly starts: readonly number[];
}

/** Broken quoting, with the reason as half a sentence for people. */
export interface CsvFault extends Position {
  readonly reason: string;
}

/** What {@link parseCsv} found. */
export interface CsvDocument {
  /** Rows with a fault are left out. */
  readonly rows: readonly CsvRow[];
  readonly faults: readonly CsvFault[];
}

const COMMA = 44;
const QUOTE = 34;
const HASH = 35;
const CR = 13;
const LF = 10;

const isBlank = (code: number): boolean => code === 32 || code === 9;
const isEnd = (code: number): boolean => code === LF || code === CR || Number.isNaN(code);

/** Line and column of a row's cell, counted from 1. */
export function cellPosition(text: string, row: CsvRow, index: number): Position {
  if (index === 0) return { line: row.line, column: row.column };
  const before = text.slice(row.starts[0], row.starts[index] ?? row.starts.at(-1)).split(/\r\n|\r|\n/);
  const last = before.at(-1)!.length;
  return { line: row.line + before.length - 1, column: last + (before.length === 1 ? row.column : 1) };
}

class CsvReader {
  readonly text: string;
  readonly rows: CsvRow[] = [];
  readonly faults: CsvFault[] = [];
  offset = 0;
  line = 1;
  lineStart = 0;

  constructor(text: string) {
    this.text = text;
  }

  code(offset = this.offset): number {
    return this.text.charCodeAt(offset);
  }

  skipBlanks(): void {
    while (isBlank(this.code())) this.offset += 1;
  }

  skipLine(): void {
    while (!isEnd(this.code())) this.offset += 1;
    this.endLine();
  }

  /** Passes one line ending. */
  endLine(): void {
    this.offset += this.code() === CR && this.code(this.offset + 1) === LF ? 2 : 1;
    this.line += 1;
    this.lineStart = this.offset;
  }

  /** Notes a fault of the quoted cell that opened at `open`, and goes on behind the line it opened on. */
  broken(open: number, openLine: number, openLineStart: number, reason: string, column: number): undefined {
    this.faults.push({ reason, line: openLine, column });
    this.offset = open;
    this.line = openLine;
    this.lineStart = openLineStart;
    this.skipLine();
  }

  /** Reads a quoted cell; undefined after a fault. */
  quoted(): string | undefined {
    const { offset: open, line, lineStart } = this;
    const openColumn = open - lineStart + 1;
    let value = "";
    let from = open + 1;
    for (;;) {
      const close = this.text.indexOf('"', from);
      if (close < 0) return this.broken(open, line, lineStart, "the quote that opens here is never closed", openColumn);
      value += this.text.slice(from, close);
      if (this.code(close + 1) !== QUOTE) {
        this.offset = close + 1;
        break;
      }
      value += '"';
      from = close + 2;
    }
    this.countLines(open);
    this.skipBlanks();
    if (this.code() === COMMA || isEnd(this.code())) return value.trim();
    const next = JSON.stringify(String.fromCodePoint(this.text.codePointAt(this.offset)!));
    const rule = "a comma or the end of the line must (a quote inside a quoted cell is written twice)";
    if (this.line === line) {
      const reason = `${next} follows the closing quote where ${rule}`;
      return this.broken(open, line, lineStart, reason, this.offset - lineStart + 1);
    }
    const reason = `the quote that opens here is closed only on line ${this.line}, where ${next} follows and ${rule}`;
    return this.broken(open, line, lineStart, reason, openColumn);
  }

  /** Counts the line endings between `from` and here. */
  countLines(from: number): void {
    for (let at = from; at < this.offset; at += 1) {
      const code = this.code(at);
      if (code !== LF && (code !== CR || this.code(at + 1) === LF)) continue;
      this.line += 1;
      this.lineStart = at + 1;
    }
  }

  unquoted(): string {
    const start = this.offset;
    for (let code = this.code(); code !== COMMA && !isEnd(code); code = this.code()) this.offset += 1;
    return this.text.slice(start, this.offset).trim();
  }

  row(): void {
    const cells: string[] = [];
    const starts: number[] = [];
    const { line } = this;
    const column = this.offset - this.lineStart + 1;
    for (;;) {
      this.skipBlanks();
      starts.push(this.offset);
      const cell = this.code() === QUOTE ? this.quoted() : this.unquoted();
      if (cell === undefined) return;
      cells.push(cell);
      if (this.code() !== COMMA) break;
      this.offset += 1;
    }
    this.endLine();
    if (!cells[0]!.startsWith("#") && cells.some((cell) => cell !== ""))
      this.rows.push({ cells, line, column, starts });
  }

  document(): CsvDocument {
    while (this.offset < this.text.length) {
      this.skipBlanks();
      if (this.code() === HASH) this.skipLine();
      else if (isEnd(this.code())) this.endLine();
      else this.row();
    }
    return { rows: this.rows, faults: this.faults };
  }
}

/**
 * Reads a CSV text. Never throws. Rows keep their own lengths; a row whose cells are all empty, or whose first cell
 * starts with `#`, is left out.
 */
export const parseCsv = (text: string): CsvDocument => new CsvReader(text).document();
