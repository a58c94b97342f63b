/** What both ways of loading share: from the flags to the programs. */
import type { ProgramSource } from "../../../dispatcher/model.ts";
import { loadPrograms } from "../../../dispatcher/manage.ts";
import type { ProgramRequest } from "../../../dispatcher/plan/load.ts";
import { kernelProgram } from "../../../dispatcher/view.ts";
import { parseGlobal, parseId } from "../../../dispatcher/words.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { answerPlan, type ChangeFlags, metadataOf, noteWarnings, openDispatcher } from "../../dispatcher-place.ts";
import { programColumns, programJson, programSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { table } from "../../render/table.ts";

/** Flags of both ways. */
export interface LoadFlags extends ChangeFlags {
  readonly global?: readonly string[];
  readonly metadata?: readonly string[];
  readonly application?: string;
  readonly mapOwner?: string;
}

/** An object file with where it came from. */
export interface LoadInput {
  readonly label: string;
  readonly source: ProgramSource;
  readonly programs: readonly ProgramRequest[];
  readonly image: Uint8Array;
}

/** Loads, and answers with the programs. */
export async function loadAndAnswer(context: CliContext, flags: LoadFlags, input: LoadInput): Promise<void> {
  const { image, ...object } = input;
  const request = {
    ...object,
    globals: Object.fromEntries((flags.global ?? []).map((word) => parseGlobal(word))),
    metadata: metadataOf(flags),
    ...(flags.mapOwner !== undefined && { mapOwner: parseId(flags.mapOwner) }),
  };
  using dispatcher = openDispatcher(context, flags);
  const { change, items } = await loadPrograms(dispatcher, request, image, { dryRun: flags.plan });
  if (flags.plan) return answerPlan(context, change, flags);
  noteWarnings(context, change);
  const { state } = change;
  if (flags.json)
    return answerJson(context, "programs", {
      programs: items.map((program) => programJson(program, state, kernelProgram(program.id))),
    });
  const [first] = items;
  if (items.length === 1 && first)
    return answer(context, sectionLines(programSections(first, state, kernelProgram(first.id))).join("\n"));
  const rows = items.map((record) => ({ id: record.id, name: record.name, record }));
  return answer(context, table(rows, programColumns(state, rows), context.process.stdout).join("\n"));
}
