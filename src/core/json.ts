/**
 * A JSON reader (RFC 8259) for files that people write: it keeps the file's order of entries (`JSON.parse` moves keys
 * such as "12" to the front), knows the line and column of everything, and goes on after slips that can be mended, so
 * that one run shows them all. It is no lenient parser: every slip is a fault, and a document with faults is not valid.
 */

/** A place in a text. Both count from 1; columns are UTF-16 units, as editors count. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A breach of the grammar, with the reason as half a sentence for people. */
export interface JsonFault extends Position {
  readonly reason: string;
}

/** One `"key": value` of an object. Its position is the key's. */
export interface JsonEntry extends Position {
  readonly key: string;
  readonly value: JsonValue;
  /** Set when the key stands in the object already: where it first does. */
  readonly first?: Position;
}

/** An object; entries in file order, repeated keys included. */
export interface JsonObject extends Position {
  readonly kind: "object";
  readonly entries: readonly JsonEntry[];
}

/** An array. */
export interface JsonArray extends Position {
  readonly kind: "array";
  readonly items: readonly JsonValue[];
}

/** A number with its spelling, for those who need it exactly (`0.1`, `1e3`). */
export interface JsonNumber extends Position {
  readonly kind: "number";
  readonly value: number;
  readonly text: string;
}

/** A string, true, false or null. */
export type JsonScalar =
  | (Position & { readonly kind: "string"; readonly value: string })
  | (Position & { readonly kind: "boolean"; readonly value: boolean })
  | (Position & { readonly kind: "null"; readonly value: null });

/** Any JSON value with its position. */
export type JsonValue = JsonObject | JsonArray | JsonNumber | JsonScalar;

/** What {@link parseJson} found. */
export interface JsonDocument {
  /** Absent when reading had to stop before the end. */
  readonly root?: JsonValue;
  /** In file order; the document is valid JSON when there is none. */
  readonly faults: readonly JsonFault[];
}

/** What else {@link parseJson} takes. */
export interface JsonOptions {
  /** Whether `NaN`, `Infinity` and `-Infinity` are numbers, as Python writes and reads them. */
  readonly nonFinite?: boolean;
}

/** Levels of nesting that are read; deeper ones are a fault, long before the stack is in danger. */
export const MAX_JSON_DEPTH = 256;
const MAX_FAULTS = 50;

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/;
const WORD = /[\p{L}\p{N}_$.+-]+/uy;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};
const FOREIGN_WORDS: Readonly<Record<string, string>> = {
  True: "true",
  False: "false",
  None: "null",
  undefined: "null",
  TRUE: "true",
  FALSE: "false",
  NULL: "null",
};

/** Ends the reading; the fault is already noted. */
class Halt extends Error {}

class JsonReader {
  readonly text: string;
  readonly options: JsonOptions;
  readonly faults: JsonFault[] = [];
  offset = 0;
  line = 1;
  lineStart = 0;

  constructor(text: string, options: JsonOptions) {
    this.text = text;
    this.options = options;
  }

  here(offset = this.offset): Position {
    return { line: this.line, column: offset - this.lineStart + 1 };
  }

  fault(reason: string, at = this.here()): void {
    this.faults.push({ reason, ...at });
    if (this.faults.length >= MAX_FAULTS) throw new Halt();
  }

  halt(reason: string, at = this.here()): never {
    this.fault(reason, at);
    throw new Halt();
  }

  /** What stands here, for messages. */
  found(): string {
    const code = this.text.codePointAt(this.offset);
    return code === undefined ? "the end of the text" : JSON.stringify(String.fromCodePoint(code));
  }

  newline(): void {
    this.offset += 1;
    this.line += 1;
    this.lineStart = this.offset;
  }

  /** Passes white space, and comments with a fault. */
  skip(): void {
    for (;;) {
      const char = this.text[this.offset];
      if (char === "\n") this.newline();
      else if (char === " " || char === "\t" || char === "\r") this.offset += 1;
      else if (char === "#" || (char === "/" && /[/*]/.test(this.text[this.offset + 1] ?? ""))) this.comment();
      else return;
    }
  }

  comment(): void {
    this.fault("JSON has no comments");
    const block = this.text.startsWith("/*", this.offset);
    const from = this.offset + (block ? 2 : 1);
    const found = this.text.indexOf(block ? "*/" : "\n", from);
    const end = found < 0 ? this.text.length : found + (block ? 2 : 0);
    while (this.offset < end) {
      if (this.text[this.offset] === "\n") this.newline();
      else this.offset += 1;
    }
  }

  value(depth: number): JsonValue {
    const at = this.here();
    if (depth > MAX_JSON_DEPTH) this.halt(`it is nested deeper than ${MAX_JSON_DEPTH} levels`);
    const char = this.text[this.offset];
    if (char === "{") return { kind: "object", entries: this.entries(depth), ...at };
    if (char === "[") return { kind: "array", items: this.items(depth), ...at };
    if (char === '"' || char === "'") return { kind: "string", value: this.string(), ...at };
    const word = this.word();
    if (word === undefined) this.halt(`found ${this.found()} where a value should stand`);
    if (/^[-+.]*\d/.test(word)) return this.number(word, at);
    if (this.options.nonFinite && /^(?:NaN|-?Infinity)$/.test(word))
      return { kind: "number", value: Number(word), text: word, ...at };
    const known = FOREIGN_WORDS[word] ?? word;
    if (known !== word) this.fault(`"${word}" is no JSON; write ${known}`, at);
    if (known === "null") return { kind: "null", value: null, ...at };
    if (known === "true" || known === "false") return { kind: "boolean", value: known === "true", ...at };
    this.fault(`the text ${JSON.stringify(word)} needs double quotes`, at);
    return { kind: "string", value: word, ...at };
  }

  word(): string | undefined {
    WORD.lastIndex = this.offset;
    const word = WORD.exec(this.text)?.[0];
    this.offset += word?.length ?? 0;
    return word;
  }

  number(word: string, at: Position): JsonNumber {
    if (NUMBER.exec(word)?.[0] === word) return { kind: "number", value: Number(word), text: word, ...at };
    const mended = word
      .replaceAll("_", "")
      .replace(/^\+/, "")
      .replace(/^(-?)0+(?=\d)/, "$1")
      .replace(/^(-?)\./, "$10.");
    const text = NUMBER.exec(mended)?.[0] ?? "0";
    this.fault(`"${word}" is no JSON number; write ${text}`, at);
    return { kind: "number", value: Number(text), text, ...at };
  }

  string(): string {
    const quote = this.text[this.offset]!;
    const at = this.here();
    if (quote === "'") this.fault("texts and keys need double quotes, not single ones");
    let value = "";
    let from = (this.offset += 1);
    for (;;) {
      const code = this.text.charCodeAt(this.offset);
      if (Number.isNaN(code) || code === 10 || code === 13) this.halt("the text that starts here has no end quote", at);
      const char = this.text[this.offset]!;
      if (char === quote) break;
      if (char === "\\") {
        value += this.text.slice(from, this.offset) + this.escape();
        from = this.offset;
        continue;
      }
      if (code < 32)
        this.fault(code === 9 ? "a tab inside a text is written \\t" : "a control character inside a text");
      this.offset += 1;
    }
    value += this.text.slice(from, this.offset);
    this.offset += 1;
    return value;
  }

  escape(): string {
    const char = this.text[this.offset + 1] ?? "";
    const hex = /^[0-9a-f]{4}/i.exec(this.text.slice(this.offset + 2, this.offset + 6))?.[0];
    if (char === "u" && hex !== undefined) {
      this.offset += 6;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const value = Object.hasOwn(ESCAPES, char) ? ESCAPES[char]! : undefined;
    if (value === undefined) this.fault(`"\\${char}" is no JSON escape; a backslash itself is written \\\\`);
    this.offset += value === undefined ? 1 : 2;
    return value ?? "\\";
  }

  /**
   * Reads what stands between brackets, calling `one` for each part; commas that are missing, doubled or left over at
   * the end are faults that do not stop it.
   */
  list(close: "}" | "]", noun: string, one: () => void): void {
    const opened = this.here();
    this.offset += 1;
    let comma: Position | undefined;
    for (;;) {
      this.skip();
      const char = this.text[this.offset];
      if (char === close) break;
      if (char === undefined) this.halt(`the ${noun} that opens here is never closed`, opened);
      if (char === ",") {
        this.fault("a comma with nothing before it");
        comma = this.here();
        this.offset += 1;
        continue;
      }
      one();
      const end = this.here();
      comma = undefined;
      this.skip();
      const next = this.text[this.offset];
      if (next === ",") {
        comma = this.here();
        this.offset += 1;
      } else if (next === "}" || next === "]") {
        if (next !== close) this.halt(`found "${next}" where the ${noun} of line ${opened.line} needs "${close}"`);
      } else if (next !== undefined) this.fault("a comma is missing here", end);
    }
    if (comma) this.fault(`the comma after the last entry of the ${noun} is one too many`, comma);
    this.offset += 1;
  }

  items(depth: number): JsonValue[] {
    const items: JsonValue[] = [];
    this.list("]", "array", () => items.push(this.value(depth + 1)));
    return items;
  }

  entries(depth: number): JsonEntry[] {
    const entries: JsonEntry[] = [];
    const seen = new Map<string, Position>();
    this.list("}", "object", () => {
      const at = this.here();
      const key = this.key();
      this.skip();
      const sign = this.text[this.offset];
      if (sign === "=") this.fault('a colon stands between key and value, not "="');
      else if (sign !== ":") this.halt(`found ${this.found()} where the colon after key "${key}" should stand`);
      this.offset += 1;
      this.skip();
      const first = seen.get(key);
      if (!first) seen.set(key, at);
      entries.push({ key, value: this.value(depth + 1), ...at, ...(first && { first }) });
    });
    return entries;
  }

  key(): string {
    const char = this.text[this.offset];
    if (char === '"' || char === "'") return this.string();
    const at = this.here();
    const decimal = /(\d+),$/.exec(this.text.slice(Math.max(0, this.offset - 24), this.offset));
    const word = this.word();
    if (word === undefined) this.halt(`found ${this.found()} where a key in double quotes should stand`);
    if (decimal && /^\d/.test(word))
      this.halt(`a decimal comma; write ${decimal[1]}.${word}`, this.here(this.offset - word.length - 1));
    this.fault(`the key "${word}" needs double quotes`, at);
    return word;
  }

  document(): JsonValue {
    this.skip();
    if (this.offset >= this.text.length) this.halt("there is nothing in it");
    const root = this.value(1);
    this.skip();
    if (this.offset < this.text.length) this.fault(`found ${this.found()} after the end of the document`);
    return root;
  }
}

/**
 * Reads a JSON text. Never throws.
 *
 * @example
 * parseJson('{"12": 1, "a": 2,}').faults; // [{ reason: "the comma after the last entry ...", line: 1, column: 17 }]
 */
export function parseJson(text: string, options: JsonOptions = {}): JsonDocument {
  const reader = new JsonReader(text, options);
  try {
    return { root: reader.document(), faults: reader.faults };
  } catch (error) {
    if (error instanceof Halt) return { faults: reader.faults };
    throw error;
  }
}
