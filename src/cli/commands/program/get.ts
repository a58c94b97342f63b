/** `sluice program get`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { programSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
}

async function get(this: CliContext, flags: Flags, word: string): Promise<void> {
  const { parseId } = await import("../../../control/words.ts");
  const output = await perform(this, flags, "programs.get", { params: { id: String(parseId(word)) } });
  if (flags.json) return answerJson(this, output);
  return answer(this, sectionLines(programSections(output.program)).join("\n"));
}

/** Runs the command. */
export default reporting(get);
