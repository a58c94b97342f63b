/** TOML texts as values, with a problem instead of an exception. */
import { parse, stringify, TomlError } from "smol-toml";
import { type Problem, problem } from "./errors.ts";

/** Parses a TOML text; problems say what is wrong in which line. */
export function parseToml(
  toml: string,
  file: string,
): { readonly values: Record<string, unknown> } | { readonly problem: Problem } {
  try {
    return { values: parse(toml) };
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const line = toml.split("\n")[error.line - 1]?.trim() ?? "";
    const said = error.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    const hint = /=\s*(?!true|false|inf|nan)[a-z]/i.test(line) ? "; texts need double quotes" : "";
    const reason = `${said} in ${JSON.stringify(line)}${hint}`;
    return { problem: problem("CONFIG_SYNTAX", { reason }, { file, line: error.line, column: error.column }) };
  }
}

/** The text of a TOML document that parses to these values. */
export const renderToml = (values: Readonly<Record<string, unknown>>): string => stringify(values);

/** A table of a TOML document; undefined for anything else. */
export function asTable(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const isTable = typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
  return isTable ? (value as Readonly<Record<string, unknown>>) : undefined;
}
