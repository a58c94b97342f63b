/** `sluice relay import FILE`: the `[relay]` that does what a configuration of MCR says. Never writes over a file. */
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { warningLines } from "../../render/problems.ts";
import { reporting } from "../../report.ts";
import { writeNew } from "../../write-new.ts";

interface Flags {
  readonly json: boolean;
  readonly output?: string;
}

async function relayImport(this: CliContext, { json, output }: Flags, path: string): Promise<void> {
  const { importFile } = await import("../../../control/relay/import.ts");
  const { toml, rules, notes, warnings } = importFile(path);
  if (output !== undefined) writeNew(output, toml, "sluice relay import");
  const written = output === undefined ? {} : { written: output };
  if (json) return answerJson(this, { schema: "sluice/relay-import/1", toml, rules, notes, warnings, ...written });
  for (const line of [...warningLines(warnings), ...notes]) note(this, line);
  if (output !== undefined) return answer(this, `${rules} rules written to ${output}`);
  this.process.stdout.write(toml);
  return undefined;
}

/** Runs the command. */
export default reporting(relayImport);
