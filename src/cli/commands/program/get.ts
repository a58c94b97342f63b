/** `sluice program get`. */
import { nameOfProgram } from "../../../dispatcher/fetch.ts";
import { missingProgram } from "../../../dispatcher/plan/attach.ts";
import { kernelProgram } from "../../../dispatcher/view.ts";
import { parseId } from "../../../dispatcher/words.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { openDispatcher } from "../../dispatcher-place.ts";
import { programJson, programSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";

async function get(this: CliContext, flags: { readonly json: boolean }, word: string): Promise<void> {
  const id = parseId(word);
  using dispatcher = openDispatcher(this);
  const state = dispatcher.state();
  const program = state.programs.get(id);
  if (!program) throw missingProgram(id, nameOfProgram(id));
  const kernel = kernelProgram(id);
  if (flags.json) return answerJson(this, "program", { program: programJson(program, state, kernel) });
  return answer(this, sectionLines(programSections(program, state, kernel)).join("\n"));
}

/** Runs the command. */
export default reporting(get);
