/** sluice.toml(5): every table and key. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type ConfigurationKey,
  type ConfigurationTable,
  configurationTables,
  type Described,
} from "./configuration-keys.ts";
import { bold, capital, chapter, type Edition, example, head, item, part, plain, prose, seeAlso } from "./roff.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/isp/sluice.toml");
const DOCUMENTATION = "/usr/share/doc/sluice/configuration.md";

/** What a key may be, and what it is when it is left out. */
function bounds({ value, default: usual }: Described): string {
  const values = value.replace("see below", `see \`${DOCUMENTATION}\``);
  if (usual === "") return values;
  return usual.startsWith("required") ? `${values}; ${usual}` : `${values}; default ${usual}`;
}

function keyItem({ key, example: value, described }: ConfigurationKey): string {
  const meaning = described && capital(`${described.meaning} (${bounds(described)}).`);
  return item(`${bold(key)} = ${plain(value)}`, ...(meaning === undefined ? [] : [prose(meaning)]));
}

const tablePart = ({ name, keys }: ConfigurationTable): string => part(`[${name}]`, ...keys.map((key) => keyItem(key)));

/** The page, in roff. */
export function configurationPage(edition: Edition): string {
  return `${[
    head("sluice.toml", 5, edition),
    chapter("NAME", String.raw`sluice.toml \- configuration of sluice and sluiced`),
    chapter("SYNOPSIS", plain("/etc/sluice/sluice.toml")),
    chapter(
      "DESCRIPTION",
      prose(
        "A TOML file. It is checked whole: every problem is reported at once with its line, unknown keys are errors, and a file with an error changes nothing. `sluice check` checks it.",
      ),
      ".PP",
      prose(
        `What follows shows each key with a value as an example. \`${DOCUMENTATION}\` says more about each of them.`,
      ),
      ".PP",
      prose(
        'A rate is a text in the words of `tc` with a unit ("2.5mbit", "1gbit", "300kbit"), or a number of Mbit/s. Paths are relative to the folder of this file.',
      ),
    ),
    chapter("KEYS"),
    ...configurationTables().map((table) => tablePart(table)),
    chapter("EXAMPLE", example(readFileSync(EXAMPLE, "utf8").trimEnd())),
    seeAlso("sluice(1)", "sluiced(8)", "tc(8)"),
  ].join("\n")}\n`;
}
