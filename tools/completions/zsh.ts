/** Completion for zsh: a function per command. */
import { allVerbs, type Argument, type Flag, type Program, type Verb, wordOf } from "../command-line/model.ts";
import { type Values, valuesOf } from "./values.ts";
import { functionName, namesOf, quoted } from "./words.ts";

/** A text within a specification of _arguments, where colons and brackets have a meaning. */
const spec = (text: string): string => text.replaceAll(/[\\[\]:]/g, String.raw`\$&`);

/** Takes the words by their own name; a backslash stays. */
const single = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function action(values: Values): string {
  switch (values.kind) {
    case "words":
      return `(${values.words.join(" ")})`;
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "interfaces":
      return "_net_interfaces";
    case "namespaces":
      return "__sluice_namespaces";
    case "anything":
      return " ";
  }
}

function flagSpec(flag: Flag): string {
  const plain = namesOf(flag);
  const only = flag.repeats ? "*" : `(${plain.join(" ")})`;
  // The value may be glued to the name, by = to a long one.
  const names =
    flag.placeholder === undefined ? plain : plain.map((name) => (name.startsWith("--") ? `${name}=` : `${name}+`));
  const value =
    flag.placeholder === undefined
      ? ""
      : `${flag.bare ? "::" : ":"}${spec(flag.placeholder)}:${action(valuesOf(flag))}`;
  const rest = single(`[${spec(flag.brief)}]${value}`);
  // Braces are expanded by the shell: one specification per name.
  return names.length === 1 ? `${single(only)}${names[0]}${rest}` : `${single(only)}{${names.join(",")}}${rest}`;
}

const argumentSpec = ({ placeholder, brief, required, repeats }: Argument, index: number): string =>
  single(
    `${repeats ? "*" : `${index + 1}`}${required || repeats ? ":" : "::"}${spec(brief || placeholder)}:${action(valuesOf({ placeholder, brief }))}`,
  );

function verbFunction(name: string, verb: Verb): string {
  const fn = functionName(name, ...verb.path);
  const flags = verb.flags.map((flag) => flagSpec(flag));
  if (verb.children.length === 0) {
    const specs = [...flags, ...verb.arguments.map((argument, index) => argumentSpec(argument, index))];
    return `${fn}() {\n  _arguments -s -S \\\n    ${specs.join(" \\\n    ")}\n}`;
  }
  const commands = verb.children.map((child) =>
    single(`${wordOf(child)}:${child.brief.replaceAll(":", String.raw`\:`)}`),
  );
  const arms = verb.children.map((child) => `        ${wordOf(child)}) ${functionName(name, ...child.path)} ;;`);
  return `${fn}() {
  local context state line
  local -A opt_args
  local -a commands=(
    ${commands.join("\n    ")}
  )
  _arguments -C -s -S \\
    ${[...flags, "'1: :->command'", "'*:: :->rest'"].join(" \\\n    ")}
  case $state in
    command) _describe -t commands ${quoted(`${[name, ...verb.path].join(" ")} command`)} commands ;;
    rest)
      case $words[1] in
${arms.join("\n")}
      esac
      ;;
  esac
}`;
}

/** The script. */
export function zshCompletion({ name, root }: Program): string {
  return `#compdef ${name}
# zsh completion for ${name}. Generated; changes made here are lost.

__sluice_namespaces() {
  local -a names=(/run/netns/*(N:t))
  compadd -a names
}

${allVerbs(root)
  .map((verb) => verbFunction(name, verb))
  .join("\n\n")}

# Loaded by its name this file is the function; sourced it has to be made known.
if [[ $funcstack[1] == ${functionName(name)} ]]; then
  ${functionName(name)} "$@"
else
  compdef ${functionName(name)} ${name}
fi
`;
}
