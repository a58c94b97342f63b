/** `sluice program list`. */
import { kernelPrograms } from "../../../dispatcher/fetch.ts";
import { kernelProgram } from "../../../dispatcher/view.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { hasMetadata, metadataOf, openDispatcher } from "../../dispatcher-place.ts";
import { programColumns, programJson, type ProgramRow } from "../../render/programs.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly all: boolean;
  readonly quiet: boolean;
  readonly type?: string;
  readonly application?: string;
  readonly metadata?: readonly string[];
}

async function list(this: CliContext, flags: Flags): Promise<void> {
  using dispatcher = openDispatcher(this);
  const state = dispatcher.state();
  const wanted = metadataOf(flags);
  const ours = [...state.programs.values()]
    .filter(({ type }) => flags.type === undefined || type === flags.type)
    .filter(({ metadata }) => hasMetadata(metadata, wanted));
  const rows: ProgramRow[] = ours.map((record) => ({ id: record.id, name: record.name, record }));
  if (flags.all) for (const [id, name] of kernelPrograms()) if (!state.programs.has(id)) rows.push({ id, name });
  rows.sort((a, b) => a.id - b.id);
  if (flags.json)
    return answerJson(this, "programs", {
      programs: rows.map(({ id, name, record }) => {
        const kernel = kernelProgram(id);
        if (record) return { managed: true, ...programJson(record, state, kernel) };
        return { managed: false, id, name, type: kernel?.type ?? null };
      }),
    });
  if (flags.quiet) return rows.forEach(({ id }) => answer(this, String(id)));
  if (rows.length === 0) return answer(this, "No programs are loaded");
  return answer(this, table(rows, programColumns(state, rows), this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(list);
