/** The command line as data: what manual pages and completions are written from. */

/** A flag, by the names that a user types. */
export interface Flag {
  /** `replace-foreign`, without dashes. */
  readonly name: string;
  /** Single letters. */
  readonly aliases: readonly string[];
  readonly brief: string;
  /** What stands for its value, `FILE`; undefined when it takes none. */
  readonly placeholder?: string;
  /** The only values that it takes; empty when there are more than can be told. */
  readonly values: readonly string[];
  readonly default?: string;
  readonly required: boolean;
  /** It may be given several times. */
  readonly repeats: boolean;
  /** It may stand without its value. */
  readonly bare: boolean;
  /** There is a `--no-` form too. */
  readonly negated: boolean;
}

/** A word that a command takes by its place. */
export interface Argument {
  readonly placeholder: string;
  readonly brief: string;
  readonly required: boolean;
  readonly repeats: boolean;
}

/** A command, or a group of them. */
export interface Verb {
  /** The words that lead to it, `["shaper", "circuit"]`; none for the program itself. */
  readonly path: readonly string[];
  readonly brief: string;
  /** In place of the brief where there is room. */
  readonly description?: string;
  /** How it is called, without what it leads to: `sluice shaper circuit get [--json] <ID>`. */
  readonly usage: string;
  readonly flags: readonly Flag[];
  readonly arguments: readonly Argument[];
  readonly children: readonly Verb[];
}

/** A program: its name and everything it can be told. */
export interface Program {
  readonly name: string;
  readonly root: Verb;
}

/** A verb with all below it, in the order of the table. */
export const allVerbs = (verb: Verb): Verb[] => [verb, ...verb.children.flatMap(allVerbs)];

/** The last word of a verb's path. */
export const wordOf = (verb: Verb): string => verb.path.at(-1) ?? "";
