/** Bytes of files that people make on any system, as text. */
import type { Position } from "./json.ts";

/** What {@link decodeText} made of a file. */
export interface DecodedText {
  readonly text: string;
  readonly encoding: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  /** Why this is no text after all, and where that shows. */
  readonly fault?: Position & { readonly reason: string };
}

const BOMS = [
  { encoding: "utf-8", bytes: [0xef, 0xbb, 0xbf] },
  { encoding: "utf-16le", bytes: [0xff, 0xfe] },
  { encoding: "utf-16be", bytes: [0xfe, 0xff] },
] as const;

function decodeAs(encoding: DecodedText["encoding"], bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function nulFault(text: string): DecodedText["fault"] {
  const at = text.indexOf("\0");
  if (at < 0) return undefined;
  const before = text.slice(0, at).split("\n");
  const reason = text.startsWith("PK\u0003\u0004")
    ? "it is a ZIP archive, perhaps a spreadsheet, not text"
    : "it holds a NUL byte, so it is no text (or UTF-16 without a byte order mark)";
  return { reason, line: before.length, column: before.at(-1)!.length + 1 };
}

/**
 * Decodes by byte order mark, else as UTF-8, else (bytes that are not valid UTF-8) as Windows-1252, which old
 * spreadsheets write and in which any byte means something. The byte order mark is not part of the text.
 */
export function decodeText(bytes: Uint8Array): DecodedText {
  const marked = BOMS.find((bom) => bom.bytes.every((byte, i) => bytes[i] === byte));
  const body = marked ? bytes.subarray(marked.bytes.length) : bytes;
  const encoding = marked?.encoding ?? "utf-8";
  const text = decodeAs(encoding, body);
  if (text !== undefined) {
    const fault = nulFault(text);
    return { text, encoding, ...(fault && { fault }) };
  }
  if (marked && encoding !== "utf-8") {
    const reason = `it begins with the mark of ${encoding.toUpperCase()}, but is not valid in it`;
    return { text: "", encoding, fault: { reason, line: 1, column: 1 } };
  }
  const latin = new TextDecoder("windows-1252").decode(body);
  const fault = nulFault(latin);
  return { text: latin, encoding: "windows-1252", ...(fault && { fault }) };
}
