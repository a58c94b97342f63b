/** Statements and words of UCI files. */
import type { Position } from "../../../core/json.ts";

/** A breach of the grammar; the reason is half a sentence. */
export interface UciFault extends Position {
  readonly reason: string;
}

/** A line, or a part of one before `;`. */
export interface UciStatement extends Position {
  readonly keyword: string;
  readonly words: readonly string[];
}

/** Goes through a text and knows where it is. */
class Cursor {
  readonly text: string;
  at = 0;
  #line = 1;
  #start = 0;

  constructor(text: string) {
    this.text = text;
  }

  /** What comes next; empty at the end. */
  peek(): string {
    return this.text[this.at] ?? "";
  }

  get position(): Position {
    return { line: this.#line, column: this.at - this.#start + 1 };
  }

  next(): string {
    const char = this.peek();
    this.at += 1;
    if (char === "\n") {
      this.#line += 1;
      this.#start = this.at;
    }
    return char;
  }
}

/** The rest of a quoted part, its opening quote already taken; undefined when it does not end. */
function quotedPart(cursor: Cursor, quote: string): string | undefined {
  let part = "";
  while (cursor.peek() !== "") {
    const char = cursor.next();
    if (char === quote) return part;
    // Within single quotes a backslash is a character like others.
    part += char === "\\" && quote === '"' ? cursor.next() : char;
  }
  return undefined;
}

const ENDS = /^[\s;#]?$/;

/** A word: bare and quoted parts side by side. Undefined when a quote does not end. */
function readWord(cursor: Cursor): string | undefined {
  let word = "";
  while (!ENDS.test(cursor.peek())) {
    const char = cursor.next();
    if (char === "'" || char === '"') {
      const part = quotedPart(cursor, char);
      if (part === undefined) return undefined;
      word += part;
    } else if (char === "\\") {
      const escaped = cursor.next();
      // A line that ends with a backslash goes on.
      if (escaped !== "\n") word += escaped;
    } else word += char;
  }
  return word;
}

const BLANK = /^[^\S\n]$/;

/** Skips blanks, and a comment up to the end of its line. */
function skip(cursor: Cursor): void {
  while (BLANK.test(cursor.peek())) cursor.next();
  if (cursor.peek() === "#") while (cursor.peek() !== "" && cursor.peek() !== "\n") cursor.next();
}

/** Parts a text into statements, up to a quote that does not end. */
export function uciStatements(text: string): {
  readonly statements: readonly UciStatement[];
  readonly fault?: UciFault;
} {
  const cursor = new Cursor(text);
  const statements: UciStatement[] = [];
  while (cursor.peek() !== "") {
    skip(cursor);
    const start = cursor.position;
    const words: string[] = [];
    while (cursor.peek() !== "" && cursor.peek() !== "\n" && cursor.peek() !== ";") {
      const { position } = cursor;
      const word = readWord(cursor);
      if (word === undefined)
        return { statements, fault: { ...position, reason: "a quote that begins here does not end" } };
      words.push(word);
      skip(cursor);
    }
    cursor.next();
    const [keyword, ...rest] = words;
    if (keyword !== undefined) statements.push({ ...start, keyword, words: rest });
  }
  return { statements };
}
