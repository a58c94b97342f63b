/** Completion for fish. */
import { allVerbs, type Argument, type Flag, type Program, type Verb, wordOf } from "../command-line/model.ts";
import { type Values, valuesOf } from "./values.ts";
import { functionName, namesOf, quoted } from "./words.ts";

/** The end of a `complete` line that says which words there are. */
function words(values: Values): string {
  switch (values.kind) {
    case "words":
      return ` -x -a ${quoted(values.words.join(" "))}`;
    case "files":
      return " -r -F";
    case "folders":
      return " -x -a '(__fish_complete_directories (commandline -ct))'";
    case "interfaces":
      return " -x -a '(command ls /sys/class/net 2>/dev/null)'";
    case "namespaces":
      return " -x -a '(command ls /run/netns 2>/dev/null)'";
    case "anything":
      return " -x";
  }
}

const KEYED = "__at";

function lines(name: string, verb: Verb): string[] {
  const fn = `_${functionName(name)}`;
  const at = (place: string): string =>
    `complete -c ${name} -n ${quoted(`${fn}${KEYED} ${[place, ...verb.path].join(" ")}`)}`;
  const flagLines = (flag: Flag): string[] => [
    `${at("any")} -l ${flag.name}${flag.aliases.map((letter) => ` -s ${letter}`).join("")} -d ${quoted(flag.brief)}${
      flag.placeholder === undefined || flag.bare ? "" : words(valuesOf(flag))
    }`,
    ...(flag.negated ? [`${at("any")} -l no-${flag.name} -d ${quoted(`Not: ${flag.brief}`)}`] : []),
  ];
  const argumentLine = ({ placeholder, brief, repeats }: Argument, index: number): string => {
    const values = valuesOf({ placeholder, brief });
    // What stands at a place is no value of a flag: no -x or -r, which mean one.
    const end = words(values).replace(/^ -[xr](?= |$)/, "");
    return end === "" ? "" : `${at(repeats ? "any" : `${index}`)}${end} -d ${quoted(placeholder)}`;
  };
  return [
    ...verb.children.map((child) => `${at("0")} -a ${quoted(wordOf(child))} -d ${quoted(child.brief)}`),
    ...verb.flags.flatMap(flagLines),
    ...verb.arguments.map(argumentLine).filter((line) => line !== ""),
  ];
}

/** The script. */
export function fishCompletion({ name, root }: Program): string {
  const fn = `_${functionName(name)}`;
  const verbs = allVerbs(root);
  const paths = verbs.filter((verb) => verb !== root).map((verb) => quoted(verb.path.join(" ")));
  const valued = verbs.flatMap((verb) =>
    verb.flags
      .filter((flag) => flag.placeholder !== undefined)
      .flatMap((flag) => namesOf(flag).map((word) => quoted([...verb.path, word].join(" ")))),
  );
  return `# fish completion for ${name}. Generated; changes made here are lost.

# Every command, and every flag that takes a value, behind the words that lead to it.
set -g ${fn}_commands ${paths.join(" ")}
set -g ${fn}_valued ${valued.join(" ")}

# Whether the words before the cursor have led to a command, and there to a place: a number of arguments, or any.
function ${fn}${KEYED}
    set -l place $argv[1]
    set -l wanted (string join ' ' -- $argv[2..])
    set -l words (commandline -opc)
    set -l path
    set -l arguments 0
    set -l skip no
    for word in $words[2..]
        if string match -q -- '-*' $word
            set skip no
            if contains -- (string join ' ' -- $path $word) $${fn}_valued
                set skip yes
            end
        else if test $skip = yes
            set skip no
        else if contains -- (string join ' ' -- $path $word) $${fn}_commands
            set -a path $word
        else
            set arguments (math $arguments + 1)
        end
    end
    test "$wanted" = (string join ' ' -- $path | string collect -a)
    and test "$place" = any -o "$place" = $arguments
end

complete -c ${name} -f
${verbs.flatMap((verb) => lines(name, verb)).join("\n")}
`;
}
