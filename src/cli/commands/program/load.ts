/** What both ways of loading share: from the flags to the request, and from the answer to the terminal. */
import type { Output } from "../../../api/routes.ts";
import { type ChangeFlags, changeOf, answerPlan, metadataOf, noteWarnings } from "../../change.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { programColumns, programSections } from "../../render/programs.ts";
import { sectionLines } from "../../render/sections.ts";
import { table } from "../../render/table.ts";

/** Flags of both ways. */
export interface LoadFlags extends ChangeFlags {
  readonly global?: readonly string[];
  readonly metadata?: readonly string[];
  readonly application?: string;
  readonly mapOwner?: string;
}

/** What the flags say. @throws SluiceError USAGE */
export async function loadingOf(flags: LoadFlags) {
  const { parseGlobal, parseId } = await import("../../../control/words.ts");
  return {
    globals: Object.fromEntries((flags.global ?? []).map((word) => parseGlobal(word))),
    metadata: await metadataOf(flags),
    ...(flags.mapOwner !== undefined && { mapOwner: parseId(flags.mapOwner) }),
    ...changeOf(flags),
  };
}

/** Answers with the programs. */
export function answerLoaded(context: CliContext, flags: LoadFlags, output: Output<"programs.load">): void {
  if (output.schema === "sluice/dispatcher-plan/1") return answerPlan(context, output, flags);
  if (flags.json) return answerJson(context, output);
  noteWarnings(context, output);
  const { programs } = output;
  const [first] = programs;
  if (programs.length === 1 && first) return answer(context, sectionLines(programSections(first)).join("\n"));
  const rows = programs.map((program) => ({ managed: true as const, ...program }));
  return answer(context, table(rows, programColumns(rows), context.process.stdout).join("\n"));
}
