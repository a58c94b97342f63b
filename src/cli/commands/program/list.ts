/** `sluice program list`. */
import { metadataQuery } from "../../change.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { perform, type PlaceFlags } from "../../perform.ts";
import { programColumns } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
  readonly all: boolean;
  readonly quiet: boolean;
  readonly type?: string;
  readonly application?: string;
  readonly metadata?: readonly string[];
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  const query = {
    all: flags.all ? "true" : "false",
    ...(flags.type !== undefined && { type: flags.type }),
    ...(await metadataQuery(flags)),
  } as const;
  const output = await perform(this, flags, "programs.list", { query });
  const { programs } = output;
  if (flags.json) return answerJson(this, output);
  if (flags.quiet) return programs.forEach(({ id }) => answer(this, String(id)));
  if (programs.length === 0) return answer(this, "No programs are loaded");
  return answer(this, table(programs, programColumns(programs), this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
