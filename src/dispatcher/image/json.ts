/** JSON documents of an image, read with care: they come from elsewhere. */
import { messageOf } from "../../core/errors.ts";
import { invalid, quoted } from "./fault.ts";

/** A JSON object whose members nobody has looked at. */
export type JsonRecord = Readonly<Record<string, unknown>>;

/** Whether a value is a JSON object. */
export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Reads a JSON object. @throws ImageFault IMAGE_INVALID, with `what` as its subject */
export function parseRecord(bytes: Uint8Array, what: string): JsonRecord {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(`${what} is no JSON: ${quoted(messageOf(error))}`, { cause: error });
  }
  if (!isRecord(value)) throw invalid(`${what} is no JSON object`);
  return value;
}

/** A member that is a text; undefined when it is absent, null or empty. @throws ImageFault IMAGE_INVALID */
export function textOf(record: JsonRecord, key: string, what: string): string | undefined {
  const value = record[key] ?? undefined;
  if (value !== undefined && typeof value !== "string") throw invalid(`${what} has a ${key} that is no text`);
  return value === "" ? undefined : value;
}
