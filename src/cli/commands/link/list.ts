/** `sluice link list`. */
import { parseId } from "../../../dispatcher/words.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { hasMetadata, metadataOf, openDispatcher } from "../../dispatcher-place.ts";
import { linkColumns, linkJson } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly kind?: string;
  readonly programId?: string;
  readonly metadata?: readonly string[];
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  using dispatcher = openDispatcher(this);
  const state = dispatcher.state();
  const program = flags.programId === undefined ? undefined : parseId(flags.programId);
  const wanted = metadataOf(flags);
  const links = [...state.links.values()]
    .filter(({ details }) => flags.kind === undefined || details.kind === flags.kind)
    .filter(({ programId }) => program === undefined || programId === program)
    .filter(({ metadata }) => hasMetadata(metadata, wanted));
  if (flags.json) return answerJson(this, "links", { links: links.map((link) => linkJson(link, state, undefined)) });
  if (flags.quiet) return links.forEach(({ id }) => answer(this, String(id)));
  if (links.length === 0) return answer(this, "Nothing is attached");
  return answer(this, table(links, linkColumns(state), this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
