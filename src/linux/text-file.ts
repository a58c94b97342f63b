/** Files of the user, read whole, with problems instead of exceptions. */
import { readFileSync } from "node:fs";
import type { Code } from "../core/codes.ts";
import { messageOf, type Problem, problem } from "../core/errors.ts";
import { decodeText } from "../core/text.ts";

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "permission denied",
  EISDIR: "it is a folder",
  ENOTDIR: "a part of the path is no folder",
  ELOOP: "too many symbolic links",
};

/**
 * Reads and decodes a file.
 *
 * @param unreadable the code for a file that cannot be read at all
 */
export function readText(
  file: string,
  unreadable: Code & ("FILE_UNREADABLE" | "CONFIG_UNREADABLE"),
): { readonly text: string } | { readonly problem: Problem } {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const reason = REASONS[(error as NodeJS.ErrnoException).code ?? ""] ?? messageOf(error);
    return { problem: problem(unreadable, { file, reason }) };
  }
  const { text, fault } = decodeText(bytes);
  if (!fault) return { text };
  const { reason, ...place } = fault;
  if (unreadable === "CONFIG_UNREADABLE") return { problem: problem("CONFIG_SYNTAX", { reason }, { file, ...place }) };
  return { problem: problem("FILE_ENCODING", { file, reason }, { file, ...place }) };
}
