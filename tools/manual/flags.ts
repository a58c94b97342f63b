/** A flag as an entry of a manual page. */
import type { Flag } from "../command-line/model.ts";
import { bold, italic, item, plain } from "./roff.ts";

/** `-c, --config FILE`. */
function term(flag: Flag): string {
  const names = [...flag.aliases.map((letter) => `-${letter}`), `--${flag.name}`].map((name) => bold(name)).join(", ");
  const negated = flag.negated ? `, ${bold(`--no-${flag.name}`)}` : "";
  if (flag.placeholder === undefined) return names + negated;
  const value = flag.values.length > 0 ? flag.values.map((word) => bold(word)).join("|") : italic(flag.placeholder);
  return flag.bare ? `${names} [${value}]` : `${names} ${value}`;
}

/** What it does, and what is to know about giving it. */
export function flagItem(flag: Flag): string {
  const notes = [
    ...(flag.required ? ["required"] : []),
    ...(flag.repeats ? ["may be repeated"] : []),
    ...(flag.default === undefined ? [] : [`default ${flag.default}`]),
  ];
  return item(term(flag), plain(notes.length > 0 ? `${flag.brief} (${notes.join(", ")})` : flag.brief));
}
