/** Settings that a program was given and does not read: misspelt, of another version, or of something else. */
import { didYouMean } from "../../../core/nearest.ts";
import { flatVariable, luaVariable, partsOf, rustVariable, type SqmProgram, type UpstreamName } from "../names.ts";
import type { Variables } from "../upstream/environment.ts";
import type { Given } from "../upstream/given.ts";
import { namesOf, upstreamRow } from "../upstream/rows.ts";
import { firstSection, type UciFile } from "../upstream/uci.ts";
import type { Left } from "./imported.ts";

const PROGRAMS: Readonly<Record<SqmProgram, string>> = { lua: "sqm-autorate", rust: "sqm-autorate-rust" };

const why = (program: SqmProgram, word: string, known: readonly string[]): string =>
  `${PROGRAMS[program]} does not read it${didYouMean(word, known)}`;

/** The same for an option: it may be a good one in the wrong section. */
function optionWhy(program: SqmProgram, option: string): string {
  const options = namesOf(program).map((name) => partsOf(name));
  const section = options.find(([, known]) => known === option)?.[0];
  if (section !== undefined) return `${PROGRAMS[program]} reads it in the section ${section}, and not here`;
  return why(
    program,
    option,
    options.map(([, known]) => known),
  );
}

/** Sections of the program itself. */
const sectionsOf = (program: SqmProgram): ReadonlySet<string> =>
  new Set(namesOf(program).map((name) => partsOf(name)[0]));

/** Options of a file of UCI. @param plugins sections that are read by plugins */
export function unknownOptions(
  program: SqmProgram,
  uci: UciFile,
  file: string,
  plugins: readonly string[] = [],
): Left[] {
  const known = new Set(namesOf(program).map(({ field }) => field));
  const sections = sectionsOf(program);
  return uci.sections.flatMap((section) => {
    if (plugins.includes(section.type)) return [];
    const first = firstSection(uci, section.type) === section;
    return [...section.options].flatMap(([option, { value, line, column }]): Left[] => {
      const setting = `${section.type}.${option}`;
      const left = { setting, value: [value].flat().join(" "), where: { file, line, column } };
      if (!sections.has(section.type)) {
        const reason = program === "lua" ? "no plugin that is loaded is called so" : why(program, setting, []);
        return [{ ...left, why: reason }];
      }
      if (!first) return [{ ...left, why: `of several sections ${PROGRAMS[program]} reads the first` }];
      if (known.has(setting)) return [];
      return [{ ...left, why: optionWhy(program, option) }];
    });
  });
}

const variablesOf = (program: SqmProgram): readonly ((name: UpstreamName) => string)[] =>
  program === "lua" ? [luaVariable] : [rustVariable, flatVariable];

/** Variables that look as if they were meant for it. */
export function unknownVariables(program: SqmProgram, variables: Variables, file?: string): Left[] {
  const known = namesOf(program).flatMap((name) => variablesOf(program).map((of) => of(name)));
  return [...variables].flatMap(([name, { value, where }]): Left[] => {
    if (!/^SQMA_/i.test(name) || known.includes(name)) return [];
    return [
      {
        setting: name,
        value,
        why: why(program, name, known),
        ...(file !== undefined && { where: { file, ...where } }),
      },
    ];
  });
}

/** What was given and has no key here, with what is in its place. */
export const foreignSettings = (given: ReadonlyMap<string, Given>): Left[] =>
  [...given].flatMap(([field, { text, as, where }]): Left[] => {
    const { instead } = upstreamRow(field);
    return instead === undefined ? [] : [{ setting: as, value: text, why: instead, ...(where && { where }) }];
  });
