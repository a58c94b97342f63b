/** `sluice log get`: levels of the daemon's logs. */
import type { Output } from "../../../api/routes.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { reporting } from "../../report.ts";

/** The levels, a line each; categories without one go by what is above them. */
export function levelLines({ levels, categories }: Output<"log.get">): string[] {
  const names = [...new Set([...Object.keys(levels), ...categories])].toSorted();
  return names.map((name) => `${name === "" ? "(all)" : name}: ${levels[name] ?? "as above"}`);
}

async function get(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "log.get", {});
  return flags.json ? answerJson(this, output) : answer(this, levelLines(output).join("\n"));
}

/** Runs the command. */
export default reporting(get);
