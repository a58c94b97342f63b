/** `sluice relay save`: all rules as a file that can be loaded, or put into `sluice.toml`. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { reporting } from "../../report.ts";
import { writeNew } from "../../write-new.ts";

interface Flags {
  readonly json: boolean;
  readonly output?: string;
}

async function save(this: CliContext, { json, output }: Flags): Promise<void> {
  const { rules } = await ask(this, "relay.rules", {});
  const { renderRules } = await import("../../../control/relay/file.ts");
  const { shownRule } = await import("../../../control/relay/json.ts");
  const toml = renderRules(rules.map((rule) => shownRule(rule)));
  if (output !== undefined) writeNew(output, toml, "sluice relay save");
  const written = output === undefined ? {} : { written: output };
  if (json) return answerJson(this, { schema: "sluice/relay-save/1", rules: rules.length, toml, ...written });
  if (output !== undefined) return answer(this, `${rules.length} rules written to ${output}`);
  this.process.stdout.write(toml);
  return undefined;
}

/** Runs the command. */
export default reporting(save);
