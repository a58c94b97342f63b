/** `sluice log set`: levels of the daemon's logs, until it is started anew. */
import { sluiceError } from "../../../core/errors.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { reporting } from "../../report.ts";
import { levelLines } from "./get.ts";

const LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;
type Level = (typeof LEVELS)[number];

/** Reads `shaper=debug`, or `info` for all. @throws SluiceError USAGE */
function parse(word: string): readonly [category: string, level: Level] {
  const [category, level] = word.includes("=") ? (word.split("=", 2) as [string, string]) : ["", word];
  const known = LEVELS.find((name) => name === level);
  if (known !== undefined) return [category, known];
  const reason = `Cannot use the level "${word}": wanted CATEGORY=LEVEL, or LEVEL for all, of ${LEVELS.join(", ")}`;
  throw sluiceError("USAGE", { reason, command: "sluice log set" });
}

async function set(this: CliContext, flags: { readonly json: boolean }, ...words: string[]): Promise<void> {
  const levels = Object.fromEntries(words.map((word) => parse(word)));
  const output = await ask(this, "log.set", { body: { levels } });
  return flags.json ? answerJson(this, output) : answer(this, levelLines(output).join("\n"));
}

/** Runs the command. */
export default reporting(set);
