/** `sluice health`: exit code 1 while something is an error. */
import { EXIT } from "../../core/exit.ts";
import { answer, answerJson, type CliContext } from "../context.ts";
import { ask } from "../perform.ts";
import { conditionLines } from "../render/health.ts";
import { reporting } from "../report.ts";

async function health(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  const output = await ask(this, "health", {});
  const { conditions } = output;
  if (conditions.some(({ severity }) => severity === "error")) this.process.exitCode = EXIT.failure;
  if (flags.json) return answerJson(this, output);
  return answer(this, conditions.length === 0 ? "All is well." : conditionLines(conditions).slice(1).join("\n"));
}

/** Runs the command. */
export default reporting(health);
