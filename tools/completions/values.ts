/** What can stand for a value, as far as a shell can tell. */
import type { Argument, Flag } from "../command-line/model.ts";

/** Where the words that a value may have come from. */
export type Values =
  | { readonly kind: "words"; readonly words: readonly string[] }
  | { readonly kind: "files" | "folders" | "interfaces" | "namespaces" | "anything" };

/** By what stands for the value in the help. */
const SOURCES: readonly (readonly [placeholder: RegExp, kind: Exclude<Values["kind"], "words">])[] = [
  [/^(?:\w*FILE|TARGET|PATH)$/, "files"],
  [/^(?:DIR|FOLDER)$/, "folders"],
  [/^INTERFACE$/, "interfaces"],
  [/^NS$/, "namespaces"],
];

/** A brief that is nothing but the words themselves: `ingress or egress`. */
const LIST = /^(?:[a-z][\w-]*, )*[a-z][\w-]* or [a-z][\w-]*$/;

/** What a flag or an argument may be given. */
export function valuesOf({
  placeholder = "",
  brief,
  values = [],
}: Pick<Argument, "brief"> & Partial<Pick<Flag, "placeholder" | "values">>): Values {
  if (values.length > 0) return { kind: "words", words: values };
  if (LIST.test(brief)) return { kind: "words", words: brief.split(/, | or /) };
  return { kind: SOURCES.find(([pattern]) => pattern.test(placeholder))?.[1] ?? "anything" };
}
