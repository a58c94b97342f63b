/** The `[autorate]` part of a `sluice.toml`, written with a note at each line. */
import { type Entry, type ImportedLink, type Left, placeText, type TomlValue } from "./imported.ts";

/** Texts in TOML are those of JSON, but for one character. */
const quoted = (text: string): string => JSON.stringify(text).replaceAll("\u{7f}", String.raw`\u007f`);

function valueText(value: TomlValue): string {
  if (typeof value === "string") return quoted(value);
  return typeof value === "object" ? `[${value.map((each) => quoted(each)).join(", ")}]` : String(value);
}

/** A comment cannot hold the end of a line, nor what is no character. */
const comment = (text: string): string =>
  `# ${text.replaceAll(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1)).replaceAll("\u{7f}", "")}`;

const entryText = ({ key, value, note }: Entry): string => `${key} = ${valueText(value)}  ${comment(note)}`;

function leftText({ setting, value, why, where }: Left): string {
  const place = placeText(where);
  return comment(`- ${setting} = ${quoted(value)}${place === "" ? "" : ` (${place})`}: ${why}`);
}

/** A line of the text. */
export interface TomlLine {
  readonly text: string;
  /** What it sets. */
  readonly entry?: Entry;
}

const plain = (texts: readonly string[]): TomlLine[] => texts.map((text) => ({ text }));

/** A table: its header, and its lines. */
const tableLines = (name: string, entries: readonly Entry[]): TomlLine[] => [
  ...plain(["", `[${name}]`]),
  ...entries.map((entry) => ({ text: entryText(entry), entry })),
];

function linkLines({ name, entries, options, plugins, left }: ImportedLink): TomlLine[] {
  const path = `autorate.links.${name}`;
  const behind = left.length === 0 ? [] : ["", comment("Not carried over:"), ...left.map((each) => leftText(each))];
  return [
    ...plain(behind),
    ...tableLines(path, entries),
    ...(options.length === 0 ? [] : tableLines(`${path}.options`, options)),
    ...plugins.flatMap((plugin) => tableLines(`${path}.plugin.${plugin.name}`, plugin.entries)),
  ];
}

/** The lines of it. @param head what is said first, a line each */
export const autorateLines = (head: readonly string[], links: readonly ImportedLink[]): TomlLine[] => [
  ...plain(head.map((line) => comment(line))),
  ...links.flatMap((link) => linkLines(link)),
];
