/** `sluice` as data, from the very table that runs it (src/cli/app.ts). */
import type { Command, RouteMap } from "@stricli/core";
import { app } from "../../src/cli/app.ts";
import type { CliContext } from "../../src/cli/context.ts";
import type { Argument, Flag, Program, Verb } from "./model.ts";

type Target = Command<CliContext> | RouteMap<CliContext>;
type Parameters = Command<CliContext>["parameters"];
type FlagParameter = NonNullable<Parameters["flags"]>[string];
type Positional = NonNullable<Parameters["positional"]>;
type PositionalParameter = Extract<Positional, { readonly kind: "tuple" }>["parameters"][number];

/** A name as help shows it, and as a user types it. */
const kebab = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

const takesValue = (flag: FlagParameter): flag is Extract<FlagParameter, { readonly kind: "enum" | "parsed" }> =>
  flag.kind === "enum" || flag.kind === "parsed";

/** Without dashes, as it stands in a usage line. */
function placeholderOf(flag: FlagParameter): string | undefined {
  if (!takesValue(flag)) return undefined;
  return flag.placeholder ?? (flag.kind === "enum" ? flag.values.join("|") : "VALUE");
}

function readFlag(name: string, flag: FlagParameter, aliases: Parameters["aliases"]): Flag {
  const placeholder = placeholderOf(flag);
  const usual = flag.kind === "counter" || flag.kind === "boolean" ? undefined : flag.default;
  const required = flag.optional !== true && usual === undefined && takesValue(flag);
  return {
    name: kebab(name),
    aliases: Object.entries(aliases ?? {}).flatMap(([letter, meant]) => (meant === name ? [letter] : [])),
    brief: flag.brief,
    ...(placeholder !== undefined && { placeholder }),
    values: flag.kind === "enum" ? flag.values : [],
    ...(usual !== undefined && { default: [usual].flat().join(",") }),
    required,
    repeats: flag.kind === "counter" || (takesValue(flag) && Boolean(flag.variadic)),
    bare: flag.kind === "parsed" && flag.inferEmpty === true,
    negated: flag.kind === "boolean" && flag.default !== false && flag.withNegated !== false,
  };
}

function readArguments(positional: Positional | undefined): Argument[] {
  const read = (parameter: PositionalParameter, at: number, repeats: boolean): Argument => ({
    placeholder: parameter.placeholder ?? `ARG${at + 1}`,
    brief: parameter.brief,
    required: parameter.optional !== true && parameter.default === undefined,
    repeats,
  });
  if (positional?.kind !== "array") return (positional?.parameters ?? []).map((p, at) => read(p, at, false));
  return [{ ...read(positional.parameter, 0, true), required: (positional.minimum ?? 0) > 0 }];
}

/** Flags that every command has, or the program alone: `--help`. */
function applicationFlags(atRoot: boolean): Flag[] {
  return Object.entries(app.integrations).flatMap(([name, { flag }]) => {
    if (!flag || flag.hidden || !(flag.global || atRoot)) return [];
    const { brief, aliases = [] } = flag;
    return [
      { name: kebab(name), aliases, brief, values: [], required: false, repeats: false, bare: false, negated: false },
    ];
  });
}

/** A route map's own command, when it has one, gives it its flags and arguments. */
const commandOf = (target: Target): Command<CliContext> | undefined =>
  "getAllEntries" in target ? target.getDefaultCommand() : target;

function readVerb(target: Target, path: readonly string[]): Verb {
  const parameters = commandOf(target)?.parameters ?? {};
  const flags = Object.entries(parameters.flags ?? {}).filter(([, flag]) => !("hidden" in flag && flag.hidden));
  const entries = "getAllEntries" in target ? target.getAllEntries().filter(({ hidden }) => !hidden) : [];
  return {
    path,
    brief: target.brief,
    ...(target.fullDescription !== undefined && { description: target.fullDescription }),
    usage: target.formatUsageLine({
      prefix: [app.config.name, ...path],
      config: app.config.documentation,
      ansiColor: false,
    }),
    flags: [
      ...flags.map(([name, flag]) => readFlag(name, flag, parameters.aliases)),
      ...applicationFlags(path.length === 0),
    ],
    arguments: readArguments(parameters.positional),
    children: entries.map((entry) => readVerb(entry.target, [...path, entry.name["convert-camel-to-kebab"]])),
  };
}

/** Reads the table. */
export const readTable = (): Program => ({ name: app.config.name, root: readVerb(app.root, []) });
