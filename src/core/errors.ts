/**
 * Errors as values: a {@link Problem} is one thing that is wrong, with where it stands and how to mend it; a
 * {@link SluiceError} carries all of them at once. The registry of codes is `codes.ts`.
 */
import { type Code, ERRORS, type ErrorSpec } from "./codes.ts";

/** Where in the user's files something stands. Lines and columns count from 1, as editors do. */
export interface Location {
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  /** JSON path inside the file, `$.Site_A.children.AP_1`. */
  readonly path?: string;
}

/** One thing that is wrong (or, as a warning, worth knowing), ready to be shown. */
export interface Problem {
  readonly code: Code;
  readonly severity: "error" | "warning";
  readonly where?: Location;
  /** What is wrong: names the action, quotes the value, says current and wanted state. */
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** The values a message template names; shown as given, so quote texts where the template does not. */
export type Params = Readonly<Record<string, string | number>>;

/** A template with its `{name}`s filled in. @throws TypeError for one that is missing */
export function fill(template: string, params: Params): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined)
      throw new TypeError(`Cannot fill the message template "${template}": "${name}" is missing`);
    return String(value);
  });
}

/** Makes a problem from the registry; its severity is the registry's. */
export function problem(code: Code, params: Params = {}, where?: Location): Problem {
  const spec = ERRORS[code] as ErrorSpec;
  return {
    code,
    severity: spec.severity ?? "error",
    ...(where && { where }),
    message: fill(spec.message, params),
    remedy: fill(spec.remedy, params),
  };
}

/** `file:line:column` as far as known, then the JSON path in parentheses. */
function formatLocation(where: Location): string {
  const position = [where.file, where.line, where.column].filter((part) => part !== undefined).join(":");
  return where.path === undefined ? position : `${position} (${where.path})`;
}

/** A problem on one to three lines: where and code, the message, the remedy. */
export function formatProblem(p: Problem): string {
  const head = `${p.where ? `${formatLocation(p.where)}: ` : ""}${p.severity}: ${p.message} [${p.code}]`;
  return `${head}\n    remedy: ${p.remedy}`;
}

/** Orders problems by file (in the order in which `files` names them, others first), line and column. */
export function sortProblems(problems: readonly Problem[], files: readonly string[]): Problem[] {
  const rank = (p: Problem): readonly number[] => [
    p.where ? files.indexOf(p.where.file) : -1,
    p.where?.line ?? 0,
    p.where?.column ?? 0,
  ];
  return problems.toSorted((a, b) => {
    const [left, right] = [rank(a), rank(b)];
    const at = left.findIndex((value, i) => value !== right[i]);
    return at < 0 ? 0 : left[at]! - right[at]!;
  });
}

/** An error that says what to do. Match on {@link SluiceError.code}, not on the text. */
export class SluiceError extends Error {
  override readonly name = "SluiceError";
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[], options?: ErrorOptions) {
    super(problems.map((p) => formatProblem(p)).join("\n"), options);
    this.problems = problems;
  }

  /** The first error's code. */
  get code(): Code {
    return (this.problems.find((p) => p.severity === "error") ?? this.problems[0]!).code;
  }

  /** The exit code for a command that ends with this error (see the registry). */
  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

/** Makes an error of one registered problem. */
export function sluiceError(
  code: Code,
  params: Params = {},
  options?: ErrorOptions & { where?: Location },
): SluiceError {
  return new SluiceError([problem(code, params, options?.where)], options);
}

/** The message of anything thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The same in a line: of several problems the first error, with where it stands and without its remedy. */
export function briefly(error: unknown): string {
  if (!(error instanceof SluiceError)) return messageOf(error);
  const first = error.problems.find(({ severity }) => severity === "error") ?? error.problems[0]!;
  return first.where ? `${formatLocation(first.where)}: ${first.message}` : first.message;
}
