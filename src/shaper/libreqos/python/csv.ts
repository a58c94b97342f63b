/**
 * Python's `csv.reader` with its standard dialect. Other than `core/csv.ts` it cuts no blanks, takes a quote for one only
 * where a cell begins, lets text follow a closing quote, and never complains: an open quote swallows the rest of the file.
 */

/** One record. A blank line is a record without cells. */
export interface CsvRecord {
  readonly cells: readonly string[];
  /** Line on which it begins, counted from 1. */
  readonly line: number;
}

/** What begins a line that is no record, for readers that know comments; Python's does not. */
export interface CsvOptions {
  readonly comment?: string;
}

class RecordReader {
  readonly text: string;
  offset = 0;
  line = 1;

  constructor(text: string) {
    this.text = text;
  }

  /** Where the text from `from` first has a comma or the end of its line. */
  endOfPlain(from: number): number {
    let end = from;
    for (; end < this.text.length; end += 1) {
      const char = this.text[end];
      if (char === "," || char === "\n") break;
    }
    return end;
  }

  cell(): string {
    if (this.text[this.offset] !== '"') {
      const end = this.endOfPlain(this.offset);
      const cell = this.text.slice(this.offset, end);
      this.offset = end;
      return cell;
    }
    let cell = "";
    let from = this.offset + 1;
    for (;;) {
      const quote = this.text.indexOf('"', from);
      const part = this.text.slice(from, quote < 0 ? undefined : quote);
      cell += part;
      for (let at = part.indexOf("\n"); at >= 0; at = part.indexOf("\n", at + 1)) this.line += 1;
      if (quote < 0) {
        this.offset = this.text.length;
        return cell;
      }
      if (this.text[quote + 1] !== '"') {
        const end = this.endOfPlain(quote + 1);
        this.offset = end;
        return cell + this.text.slice(quote + 1, end);
      }
      cell += '"';
      from = quote + 2;
    }
  }

  record(): CsvRecord {
    const { line } = this;
    const cells: string[] = [];
    if (this.text[this.offset] !== "\n") {
      for (;;) {
        cells.push(this.cell());
        if (this.text[this.offset] !== ",") break;
        this.offset += 1;
      }
    }
    this.offset += 1;
    this.line += 1;
    return { cells, line };
  }

  skipLine(): void {
    const end = this.text.indexOf("\n", this.offset);
    this.offset = end < 0 ? this.text.length : end + 1;
    this.line += 1;
  }
}

/** Every record of a text whose lines end in `\n`. */
export function readCsv(text: string, options: CsvOptions = {}): CsvRecord[] {
  const reader = new RecordReader(text);
  const records: CsvRecord[] = [];
  while (reader.offset < text.length) {
    if (options.comment !== undefined && text.startsWith(options.comment, reader.offset)) reader.skipLine();
    else records.push(reader.record());
  }
  return records;
}

/** What Python's text files do to line endings: every kind becomes `\n`. */
export const universalNewlines = (text: string): string => text.replaceAll(/\r\n?/g, "\n");
