/** `sluice link list`. */
import { metadataQuery } from "../../change.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { LINK_COLUMNS } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly kind?: string;
  readonly programId?: string;
  readonly metadata?: readonly string[];
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const { parseId } = await import("../../../control/words.ts");
  const query = {
    ...(flags.kind !== undefined && { kind: flags.kind }),
    ...(flags.programId !== undefined && { programId: String(parseId(flags.programId)) }),
    ...(await metadataQuery(flags)),
  };
  const output = await perform(this, flags, "links.list", { query });
  const { links } = output;
  if (flags.json) return answerJson(this, output);
  if (flags.quiet) return links.forEach(({ id }) => answer(this, String(id)));
  if (links.length === 0) return answer(this, "Nothing is attached");
  return answer(this, table(links, LINK_COLUMNS, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
