/** Text for man(7), the macros that groff and mandoc both know. */

const GLYPHS: Readonly<Record<string, string>> = {
  "\\": String.raw`\e`,
  "-": String.raw`\-`,
  "'": String.raw`\(aq`,
  "`": String.raw`\(ga`,
  "^": String.raw`\(ha`,
  "~": String.raw`\(ti`,
  '"': String.raw`\(dq`,
};

/** A text as it is; what stands at the start of a line is no macro. */
const escaped = (text: string): string => text.replaceAll(/[\\\-'`^~"]/g, (char) => GLYPHS[char]!);

/** A text on one line, nothing in it but itself. */
export const plain = (text: string): string =>
  escaped(text.replaceAll(/\s+/g, " ").trim()).replace(/^\./, String.raw`\&.`);

/** In bold: what is typed as it stands. */
export const bold = (text: string): string => String.raw`\fB${escaped(text)}\fR`;

/** In italics: what stands for something else. */
export const italic = (text: string): string => String.raw`\fI${escaped(text)}\fR`;

/** A line of Markdown: `code` is bold, links are their text. */
export const prose = (markdown: string): string =>
  plain(markdown.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, "$1")).replaceAll(
    /\\\(ga(.*?)\\\(ga/g,
    (_, code: string) => String.raw`\fB${code}\fR`,
  );

/** A usage line: names and flags bold, what stands for something else in italics, the rest as it is. */
export const usage = (line: string): string =>
  line
    .split(/([\s[\]()|<>.]+)/)
    .map((part) => {
      if (/^[A-Z][A-Z_:/=]*$/.test(part)) return italic(part);
      return /\w/.test(part) ? bold(part) : escaped(part);
    })
    .join("");

/** The first letter in upper case, unless the text begins with code. */
export const capital = (text: string): string => text.replace(/^[a-z]/, (letter) => letter.toUpperCase());

/** The first letter in lower case. */
export const lower = (text: string): string => text.replace(/^[A-Z](?=[a-z ])/, (letter) => letter.toLowerCase());

/** Of what a page is. */
export interface Edition {
  readonly version: string;
  /** `2026-01-31` */
  readonly date: string;
}

/** The head of a page. Names of flags are not to be broken, nor lines stretched. */
export const head = (name: string, section: number, { version, date }: Edition): string =>
  `.\\" Generated; changes made here are lost.
.TH ${name.toUpperCase()} ${section} "${date}" "Sluice ${version}" "Sluice"
.nh
.ad l`;

/** A chapter. */
export const chapter = (title: string, ...lines: readonly string[]): string => [`.SH ${title}`, ...lines].join("\n");

/** A part of a chapter. The title is plain text. */
export const part = (title: string, ...lines: readonly string[]): string =>
  [`.SS "${escaped(title)}"`, ...lines].join("\n");

/** A term, already made up, and what it means. */
export const item = (term: string, ...meaning: readonly string[]): string => [".TP", term, ...meaning].join("\n");

/** The paragraphs of a text of Markdown, each its own. */
export const paragraphs = (text: string): string =>
  text
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => prose(paragraph))
    .join("\n.PP\n");

/** Lines shown as they are. */
export const example = (text: string): string =>
  [".EX", ...text.split("\n").map((line) => escaped(line).replace(/^\./, String.raw`\&.`)), ".EE"].join("\n");

/** Names of other pages, `sluice(1)`. */
export const seeAlso = (...pages: readonly string[]): string =>
  chapter(
    "SEE ALSO",
    ...pages.map((page, index) => {
      const [, name = page, section = ""] = /^(.+)(\(\d\))$/.exec(page) ?? [];
      return `.BR ${escaped(name)} ${section}${index < pages.length - 1 ? "," : ""}`.trimEnd();
    }),
  );
