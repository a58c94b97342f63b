/** Requests checked against their route: every part by its schema, all problems at once. */
import * as v from "valibot";
import { type Problem, problem, SluiceError } from "../core/errors.ts";
import type { Route, Schema } from "./route.ts";
import type { Input, RouteName } from "./routes.ts";

/** The parts of a request as they came. */
export interface RawRequest {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const SHOWN = 100;

/** Texts of the caller's are shown in part, and without what would upset a terminal or a log. */
function shown(value: unknown): string {
  if (value === undefined) return "missing";
  const text = JSON.stringify(value) ?? typeof value;
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}...` : text;
}

function problemOf(part: string, issue: v.BaseIssue<unknown>): Problem {
  const path = issue.path?.map(({ key }) => String(key)) ?? [];
  const wanted = issue.expected === null || issue.expected === "never" ? undefined : issue.expected;
  const what = [part, ...path].join(".");
  if (issue.type === "strict_object" && issue.expected === "never")
    return problem("REQUEST_INVALID", {
      what,
      actual: shown(issue.path?.at(-1)?.value),
      wanted: "nothing of that name",
    });
  if (issue.input === undefined && issue.expected?.startsWith('"'))
    return problem("REQUEST_INVALID", { what, actual: "missing", wanted: "a value" });
  // A schema that says in words what it wants says so in its message.
  const custom = issue.type === "regex" || issue.type === "check" ? issue.message : undefined;
  const words = custom !== undefined && !custom.startsWith("Invalid") ? custom : (wanted ?? issue.message);
  return problem("REQUEST_INVALID", { what, actual: shown(issue.input), wanted: words });
}

/** Checks one part; none is an empty one. */
function read(part: keyof RawRequest, schema: Schema | undefined, raw: unknown, problems: Problem[]): unknown {
  if (!schema) {
    const empty = raw === undefined || (typeof raw === "object" && raw !== null && Object.keys(raw).length === 0);
    if (!empty) problems.push(problem("REQUEST_INVALID", { what: `the ${part}`, actual: shown(raw), wanted: "none" }));
    return undefined;
  }
  if (part === "body" && (typeof raw !== "object" || raw === null || Array.isArray(raw))) {
    problems.push(problem("REQUEST_INVALID", { what: "the body", actual: shown(raw), wanted: "one JSON object" }));
    return undefined;
  }
  const result = v.safeParse(schema, part === "query" ? (raw ?? {}) : raw);
  if (result.success) return result.output;
  problems.push(...result.issues.map((issue) => problemOf(part, issue)));
  return undefined;
}

/** Names of query parameters that the route does not have: a typing error must not be taken for its default. */
function unknownQuery({ query }: Route, given: RawRequest["query"]): Problem[] {
  const known = query && "entries" in query ? Object.keys(query.entries as object) : [];
  return Object.keys(given ?? {})
    .filter((name) => query && !known.includes(name))
    .map((name) =>
      problem("REQUEST_INVALID", {
        what: `query.${name.slice(0, SHOWN)}`,
        actual: shown(given![name]),
        wanted: known.length > 0 ? `nothing but ${known.join(", ")}` : "nothing",
      }),
    );
}

/** Reads a request. @throws SluiceError REQUEST_INVALID with everything that is wrong with it */
export function readRequest<N extends RouteName>(route: Route, raw: RawRequest): Input<N> {
  const problems = unknownQuery(route, raw.query);
  const input = {
    params: read("params", route.params, raw.params, problems),
    query: read("query", route.query, raw.query, problems),
    body: read("body", route.body, raw.body, problems),
  };
  if (problems.length > 0) throw new SluiceError(problems);
  return input as Input<N>;
}
