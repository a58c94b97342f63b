/** sluice(1): every command with every flag. */
import { allVerbs, type Program, type Verb } from "../command-line/model.ts";
import { exitStatus } from "./exits.ts";
import { flagItem } from "./flags.ts";
import { environment, files } from "./places.ts";
import {
  bold,
  chapter,
  type Edition,
  head,
  italic,
  item,
  lower,
  paragraphs,
  part,
  plain,
  prose,
  seeAlso,
  usage,
} from "./roff.ts";

function command({ name }: Program, verb: Verb, shared: ReadonlySet<string>): string {
  const own = verb.flags.filter((flag) => !shared.has(flag.name));
  const leaf = verb.children.length === 0;
  return part(
    [name, ...verb.path].join(" "),
    usage(verb.usage),
    ".PP",
    verb.description === undefined ? `${plain(verb.brief)}.` : paragraphs(verb.description),
    ...verb.arguments.map(({ placeholder, brief }) => item(italic(placeholder), plain(brief))),
    ...(leaf ? own.map((flag) => flagItem(flag)) : []),
  );
}

/** The page, in roff. */
export function commandPage(program: Program, edition: Edition): string {
  const { name, root } = program;
  // What every command has is said once.
  const shared = root.flags.filter((flag) => flag.name === "help");
  const names = new Set(shared.map((flag) => flag.name));
  return `${[
    head(name, 1, edition),
    chapter("NAME", String.raw`${plain(name)} \- ${plain(lower(root.brief))}`),
    chapter("SYNOPSIS", `${bold(name)} ${italic("COMMAND")} [${italic("FLAG")}]... [${italic("ARGUMENT")}]...`),
    chapter(
      "DESCRIPTION",
      prose(
        "Shapes the traffic of an ISP's subscribers and lets many eBPF programs share one hook. A command is done by the running `sluiced`, or in this process where none runs; either way it is the same operation with the same answer.",
      ),
      ".PP",
      prose(
        "The answer is on stdout, everything else on stderr. Flags may stand anywhere behind their command, as `--flag value` or `--flag=value`.",
      ),
    ),
    chapter("FLAGS", ...root.flags.map((flag) => flagItem(flag))),
    chapter("COMMANDS"),
    ...allVerbs(root)
      .filter((verb) => verb !== root)
      .map((verb) => command(program, verb, names)),
    exitStatus(),
    environment(),
    files(),
    seeAlso("sluiced(8)", "sluice.toml(5)", "tc(8)", "bpf(2)"),
  ].join("\n")}\n`;
}
