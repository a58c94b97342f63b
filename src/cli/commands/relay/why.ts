/** `sluice relay why GROUP`: why its packets arrive, or do not. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { printable } from "../../render/printable.ts";
import { reporting } from "../../report.ts";

async function why(this: CliContext, flags: { readonly json: boolean }, group: string): Promise<void> {
  const output = await ask(this, "relay.why", { params: { group } });
  if (flags.json) return answerJson(this, output);
  const lines = output.findings.map(({ text, remedy }) => {
    const then = remedy === "" ? "" : `\n    remedy: ${remedy}`;
    return printable(text) + then;
  });
  return answer(this, lines.join("\n"));
}

/** Runs the command. */
export default reporting(why);
