/** `sluice link get`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { linkSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
}

async function get(this: CliContext, flags: Flags, word: string): Promise<void> {
  const { parseId } = await import("../../../control/words.ts");
  const output = await perform(this, flags, "links.get", { params: { id: String(parseId(word)) } });
  if (flags.json) return answerJson(this, output);
  return answer(this, sectionLines(linkSections(output.link)).join("\n"));
}

/** Runs the command. */
export default reporting(get);
