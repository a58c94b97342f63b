/**
 * `sluice autorate import`: the `[autorate]` part of a `sluice.toml` that does what sqm-autorate, sqm-autorate-rust or
 * cake-autorate did. Reads files, touches nothing, and never overwrites one.
 */
import type { ImportFrom } from "../../../control/autorate/import.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";
import { writeNew } from "../../write-new.ts";

/** Flags of `autorate import`. */
export interface ImportFlags extends ImportFrom {
  readonly json: boolean;
  readonly output?: string;
}

async function autorateImport(this: CliContext, { json, output, ...from }: ImportFlags): Promise<void> {
  const { importFiles } = await import("../../../control/autorate/import.ts");
  const { program, toml, left, warnings } = importFiles(from);
  if (output !== undefined) writeNew(output, toml, "sluice autorate import");
  if (json) {
    const written = output === undefined ? {} : { written: output };
    return answerJson(this, { schema: "sluice/autorate-import/1", program, toml, left, warnings, ...written });
  }
  for (const line of warningLines(warnings)) note(this, line);
  const count = left.length === 1 ? "1 setting is" : `${left.length} settings are`;
  if (output !== undefined) return answer(this, `Written to ${output}; ${count} not carried over.`);
  this.process.stdout.write(toml);
  return undefined;
}

/** Runs the command. */
export default reporting(autorateImport);
