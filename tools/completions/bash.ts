/** Completion for bash, by itself: the package bash-completion loads it, and is not needed by it. */
import { allVerbs, type Program, type Verb, wordOf } from "../command-line/model.ts";
import { type Values, valuesOf } from "./values.ts";
import { functionName, namesOf, quoted } from "./words.ts";

/** A source of words as one word of the script: `@files`, or the words with bars between them. */
const source = (values: Values): string => (values.kind === "words" ? values.words.join("|") : `@${values.kind}`);

/** One arm of the table: what is known where the words before the cursor have led to. */
function arm(verb: Verb): string {
  const valued = verb.flags.filter((flag) => flag.placeholder !== undefined);
  const values = valued.flatMap((flag) => namesOf(flag).map((name) => `${name}=${source(valuesOf(flag))}`));
  const places = verb.arguments.map((argument) => source(valuesOf(argument)));
  const rest = verb.arguments.find(({ repeats }) => repeats);
  return `    ${quoted(verb.path.join(" "))})
      commands=(${verb.children.map((child) => quoted(wordOf(child))).join(" ")})
      flags=(${verb.flags.flatMap((flag) => namesOf(flag).map((name) => quoted(name))).join(" ")})
      values=(${values.map((value) => quoted(value)).join(" ")})
      places=(${places.map((place) => quoted(place)).join(" ")})
      rest=${rest ? quoted(source(valuesOf(rest))) : ""}
      ;;`;
}

/** The script. */
export function bashCompletion({ name, root }: Program): string {
  const fn = functionName(name);
  return `# bash completion for ${name}. Generated; changes made here are lost.

# What may follow the words in $1: sets commands, flags, values (flag=source), places (a source each) and rest.
${fn}_table() {
  case $1 in
${allVerbs(root)
  .map((verb) => arm(verb))
  .join("\n")}
  esac
}

# Sets the answer to what a source ($1) has that begins with $2.
${fn}_source() {
  case $1 in
    @files)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$2")
      ;;
    @folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$2")
      ;;
    @interfaces) mapfile -t COMPREPLY < <(compgen -W "$(command ls /sys/class/net 2>/dev/null)" -- "$2") ;;
    @namespaces) mapfile -t COMPREPLY < <(compgen -W "$(command ls /run/netns 2>/dev/null)" -- "$2") ;;
    @*) ;;
    *) mapfile -t COMPREPLY < <(compgen -W "\${1//|/ }" -- "$2") ;;
  esac
}

# Prints what may stand for the value of a flag ($1); fails when it takes none.
${fn}_value() {
  local value
  for value in "\${values[@]}"; do
    if [[ $value == "$1="* ]]; then
      printf '%s\\n' "\${value#*=}"
      return 0
    fi
  done
  return 1
}

${fn}() {
  local word command path='' flag='' current line blank
  local -a words=() commands=() flags=() values=() places=()
  local rest='' place=0 at
  COMPREPLY=()

  # readline splits words at = and : too; what has no blank between it is one word again.
  line=\${COMP_LINE#*"\${COMP_WORDS[0]}"}
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    blank=\${line%%"$word"*}
    line=\${line#"$blank$word"}
    if [[ -z $word || -n $blank ]]; then words+=("$word"); else words[-1]+=$word; fi
  done
  current=\${words[-1]}
  unset 'words[-1]'

  ${fn}_table ''
  for word in "\${words[@]}"; do
    if [[ -n $flag && $word != -* ]]; then
      flag=''
      continue
    fi
    flag=''
    if [[ $word == -* ]]; then
      # --flag=value is whole, and no flag of the table.
      if ${fn}_value "$word" >/dev/null; then flag=$word; fi
      continue
    fi
    for command in "\${commands[@]}"; do
      if [[ $command == "$word" ]]; then
        path=\${path:+$path }$word
        place=-1
        ${fn}_table "$path"
        break
      fi
    done
    ((place += 1))
  done

  if [[ $current == --*=* ]]; then
    flag=\${current%%=*}
    current=\${current#*=}
  fi
  if [[ -n $flag && $current != -* ]]; then
    ${fn}_source "$(${fn}_value "$flag")" "$current"
  elif [[ $current == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "\${flags[*]}" -- "$current")
  elif ((\${#commands[@]} > 0)); then
    mapfile -t COMPREPLY < <(compgen -W "\${commands[*]}" -- "$current")
  else
    ${fn}_source "\${places[place]:-\${rest:-@anything}}" "$current"
  fi
}

complete -F ${fn} ${name}
`;
}
