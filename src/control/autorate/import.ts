/** From the files of other programs to the `[autorate]` part of a `sluice.toml`. Reads files, touches nothing. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type ImportSources, importSettings } from "../../autorate/settings/import/import.ts";
import type { Left } from "../../autorate/settings/import/imported.ts";
import { parseEnvironment, variablesOf } from "../../autorate/settings/upstream/environment.ts";
import { parseLuaFlags } from "../../autorate/settings/upstream/flags.ts";
import { parseShell } from "../../autorate/settings/upstream/shell.ts";
import { parseUci, type UciFile } from "../../autorate/settings/upstream/uci.ts";
import { parseDocument } from "../../core/config-table.ts";
import { type Problem, problem, sluiceError, SluiceError, sortProblems } from "../../core/errors.ts";
import { decodeText } from "../../core/text.ts";
import { pathsBelow } from "../../linux/paths.ts";
import { readText } from "../../linux/text-file.ts";

/** Whose settings they are. */
export const IMPORT_PROGRAMS = ["lua", "rust", "cake"] as const;
/** One of them. */
export type ImportProgram = (typeof IMPORT_PROGRAMS)[number];

/** What is read. */
export interface ImportFrom {
  readonly program?: ImportProgram;
  /** A file of UCI. */
  readonly uci?: string;
  readonly toml?: string;
  /** Files of `NAME=value`, of cake-autorate its configurations; `-` is the environment of this process. */
  readonly env?: readonly string[];
  /** The command line that the program was started with. */
  readonly args?: string;
}

/** What comes of it. */
export interface ImportAnswer {
  readonly program: ImportProgram;
  readonly toml: string;
  readonly left: readonly (Left & { readonly link: string })[];
  readonly warnings: readonly Problem[];
}

const COMMAND = "sluice autorate import";
const usage = (reason: string): SluiceError => sluiceError("USAGE", { reason, command: COMMAND });

/** Where the programs have their files. */
function usualFiles(): ImportFrom[] {
  const etc = dirname(dirname(pathsBelow().config));
  const rust = { uci: join(etc, "config/sqm-autorate-rust"), toml: join(etc, "sqm-autorate-rust/config.toml") };
  return [
    { program: "lua", uci: join(etc, "config/sqm-autorate") },
    { program: "rust", ...rust },
  ];
}

/** The usual files that are there, of the program if one is named. */
function found(program: ImportProgram | undefined): ImportFrom {
  const all = usualFiles();
  for (const { program: of, uci, toml } of all.filter((each) => program === undefined || each.program === program)) {
    const there = {
      ...(uci !== undefined && existsSync(uci) && { uci }),
      ...(toml !== undefined && existsSync(toml) && { toml }),
    };
    if (of && Object.keys(there).length > 0) return { program: of, ...there };
  }
  const places = all.flatMap(({ uci, toml }) => [uci, toml].filter((place) => place !== undefined));
  throw usage(
    `there is nothing to import from: name files by --uci, --toml or --env; none of ${places.join(", ")} is there`,
  );
}

/** Reads files and remembers what is wrong with them. */
class Files {
  readonly problems: Problem[] = [];
  readonly names: string[] = [];
  /** Whether a file is not there as a whole; what it should set cannot be missed then. */
  lost = false;

  text(file: string): string {
    this.names.push(file);
    const read = readText(file, "FILE_UNREADABLE");
    return "text" in read ? read.text : this.#lose(read.problem);
  }

  /** The same of a file whose lines may be parted by zeros. */
  #variables(file: string): string {
    this.names.push(file);
    const read = readText(file, "FILE_UNREADABLE");
    if ("text" in read) return read.text;
    return read.problem.code === "FILE_ENCODING" ? decodeText(readFileSync(file)).text : this.#lose(read.problem);
  }

  #lose(why: Problem): string {
    this.problems.push(why);
    this.lost = true;
    return "";
  }

  uci(file: string): { readonly file: string; readonly content: UciFile } {
    const content = parseUci(this.text(file));
    this.#note(file, "this as a file of UCI", content.faults);
    return { file, content };
  }

  environment(files: readonly string[]) {
    if (files.length > 1) throw usage("one environment is enough");
    const [file = "-"] = files;
    if (file === "-") {
      this.names.push("the environment");
      return { variables: variablesOf(process.env) };
    }
    const { variables, faults } = parseEnvironment(this.#variables(file));
    this.#note(file, "this as a file of variables", faults);
    return { file, variables };
  }

  toml(file: string) {
    const document = parseDocument(this.text(file), file);
    if (!("problem" in document)) return document;
    const { where, message: reason } = document.problem;
    this.#lose(problem("AUTORATE_IMPORT_SYNTAX", { what: "this as TOML", reason }, where));
    return undefined;
  }

  #note(file: string, what: string, faults: UciFile["faults"]): void {
    for (const { reason, ...at } of faults)
      this.problems.push(problem("AUTORATE_IMPORT_SYNTAX", { what, reason }, { file, ...at }));
  }
}

/** Whose files these are likely to be. */
function guess({ uci, toml, env = [], args }: ImportFrom): ImportProgram {
  if (env.some((file) => file.endsWith(".sh"))) return "cake";
  if (toml !== undefined || (uci !== undefined && basename(uci).includes("rust"))) return "rust";
  return args === undefined && env.length > 0 && uci === undefined && isRust(env) ? "rust" : "lua";
}

/** Whether an environment is that of sqm-autorate-rust. */
function isRust(files: readonly string[]): boolean {
  const { variables } = new Files().environment(files);
  return [...variables.keys()].some((name) => name.startsWith("SQMA__"));
}

function sourcesOf(from: ImportFrom, program: ImportProgram, files: Files): ImportSources {
  const { uci, toml, env = [], args } = from;
  if (args !== undefined && program !== "lua") throw usage("--args is for sqm-autorate, the program in Lua");
  if (program === "cake") {
    if (uci !== undefined || toml !== undefined || env.length === 0 || env.includes("-"))
      throw usage("cake-autorate has its settings in files such as config.primary.sh: name them by --env");
    return { program, scripts: env.map((file) => ({ file, script: parseShell(files.text(file)) })) };
  }
  const common = {
    ...(uci !== undefined && { uci: files.uci(uci) }),
    ...(env.length > 0 && { environment: files.environment(env) }),
  };
  if (program === "rust") {
    const document = toml === undefined ? undefined : files.toml(toml);
    return { program, sources: { ...common, ...(document && { toml: document }) } };
  }
  if (toml !== undefined) throw usage("sqm-autorate, the program in Lua, has no TOML; --program rust has");
  const flags = args === undefined ? undefined : parseLuaFlags(args.split(/\s+/).filter(Boolean));
  if (flags) files.names.push("its flags");
  return { program, sources: { ...common, ...(flags && { flags }) } };
}

/** Imports. @throws SluiceError with everything that is wrong with the files */
export function importFiles(given: ImportFrom): ImportAnswer {
  const { uci, toml: file, env, args } = given;
  const none = uci === undefined && file === undefined && args === undefined && (env ?? []).length === 0;
  const from = none ? found(given.program) : given;
  const program = from.program ?? guess(from);
  const files = new Files();
  const sources = sourcesOf(from, program, files);
  if (files.lost) throw new SluiceError(files.problems);
  const { toml, left, problems } = importSettings(sources, files.names);
  if (toml === undefined || files.problems.length > 0)
    throw new SluiceError(sortProblems([...files.problems, ...problems], files.names));
  return { program, toml, left, warnings: problems };
}
