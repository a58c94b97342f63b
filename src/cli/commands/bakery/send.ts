/** `sluice bakery send`: one command of the bakery, as JSON. */
import { messageOf, sluiceError } from "../../../core/errors.ts";
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly wait: boolean;
}

function parse(text: string): { command: string } {
  try {
    return JSON.parse(text) as { command: string };
  } catch (error) {
    const reason = `Cannot parse the command as JSON: ${messageOf(error)}`;
    throw sluiceError("USAGE", { reason, command: "sluice bakery send" }, { cause: error });
  }
}

async function send(this: CliContext, flags: Flags, text: string): Promise<void> {
  const query = { wait: flags.wait ? "true" : "false" } as const;
  const output = await ask(this, "bakery.command", { query, body: parse(text) });
  return flags.json ? answerJson(this, output) : answer(this, output.answer);
}

/** Runs the command. */
export default reporting(send);
