/** `sluice link get`. */
import { missingLink } from "../../../dispatcher/manage.ts";
import { linkStatus } from "../../../dispatcher/view.ts";
import { parseId } from "../../../dispatcher/words.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { openDispatcher } from "../../dispatcher-place.ts";
import { linkJson, linkSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";

async function get(this: CliContext, flags: { readonly json: boolean }, word: string): Promise<void> {
  const id = parseId(word);
  using dispatcher = openDispatcher(this);
  const state = dispatcher.state();
  const link = state.links.get(id);
  if (!link) throw missingLink(id);
  const status = linkStatus(dispatcher, link);
  if (flags.json) return answerJson(this, "link", { link: linkJson(link, state, status) });
  return answer(this, sectionLines(linkSections(link, state, status)).join("\n"));
}

/** Runs the command. */
export default reporting(get);
