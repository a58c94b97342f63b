/**
 * How sqm-autorate (the program in Lua) and sqm-autorate-rust call a setting. Both have `section.field`; all other names are
 * made from it by rule, but for those that a row of the tables names itself.
 */

/** Which of the two. */
export type SqmProgram = "lua" | "rust";

/** A setting of theirs. */
export interface UpstreamName {
  /** `network.download_base_kbits`: the section of UCI and of TOML, and the option or key in it. */
  readonly field: string;
  /** Who knows it. */
  readonly programs: readonly SqmProgram[];
  /** Flags of the Lua program, long ones first. */
  readonly flags?: readonly string[];
  /** Variable of the Lua program where it does not follow the rule. */
  readonly luaVariable?: string;
}

/** Names that a program's packages and files have. */
const UCI_PACKAGES: Readonly<Record<SqmProgram, string>> = { lua: "sqm-autorate", rust: "sqm-autorate-rust" };

/** Both. */
export const BOTH_PROGRAMS: readonly SqmProgram[] = ["lua", "rust"];

const upper = (text: string): string => text.toUpperCase();

/** Section and option. */
export function partsOf({ field }: UpstreamName): readonly [section: string, option: string] {
  const [section = "", option = ""] = field.split(".");
  return [section, option];
}

/** `sqm-autorate.@network[0].download_base_kbits`. */
export function uciPath(name: UpstreamName, program: SqmProgram): string {
  const [section, option] = partsOf(name);
  return `${UCI_PACKAGES[program]}.@${section}[0].${option}`;
}

/** `SQMA_DOWNLOAD_BASE_KBITS`: the variable that the Lua program reads, and early versions of the other. */
export const flatVariable = (name: UpstreamName): string => `SQMA_${upper(partsOf(name)[1])}`;

/** The variable that the Lua program reads. */
export const luaVariable = (name: UpstreamName): string => name.luaVariable ?? flatVariable(name);

/** `SQMA__NETWORK__DOWNLOAD_BASE_KBITS`: the variable that sqm-autorate-rust reads. */
export function rustVariable(name: UpstreamName): string {
  const [section, option] = partsOf(name);
  return `SQMA__${upper(section)}__${upper(option)}`;
}
