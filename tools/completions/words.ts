/** Words within scripts. */
import type { Flag } from "../command-line/model.ts";

/** A text that a POSIX shell, bash, zsh or fish takes as it stands. fish reads a backslash within single quotes. */
export const quoted = (text: string): string => `'${text.replaceAll("\\", "").replaceAll("'", String.raw`'\''`)}'`;

/** All that a flag may be typed as, with dashes. */
export const namesOf = (flag: Flag): string[] => [
  ...flag.aliases.map((letter) => `-${letter}`),
  `--${flag.name}`,
  ...(flag.negated ? [`--no-${flag.name}`] : []),
];

/** A name for a function of a script. */
export const functionName = (...words: readonly string[]): string => `_${words.join("_").replaceAll(/\W/g, "_")}`;
