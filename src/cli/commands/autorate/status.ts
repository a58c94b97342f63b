/** `sluice autorate status [LINK]`: what links do, and why. */
import { answer, answerJson, type CliContext } from "../../context.ts";
import { ask } from "../../perform.ts";
import { historyLines, linkLines } from "../../render/autorate.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly ticks?: number;
}

async function status(this: CliContext, flags: Flags, name?: string): Promise<void> {
  const { stdout } = this.process;
  if (name === undefined) {
    const output = await ask(this, "autorate.links", {});
    if (flags.json) return answerJson(this, output);
    const blocks = output.links.map((link) => linkLines(link, stdout, false).join("\n"));
    return answer(this, blocks.length > 0 ? blocks.join("\n\n") : "No link follows its line: there is no [autorate].");
  }
  const query = flags.ticks === undefined ? {} : { ticks: String(flags.ticks) };
  const output = await ask(this, "autorate.link", { params: { name }, query });
  if (flags.json) return answerJson(this, output);
  const history = output.history.length > 0 ? ["", ...historyLines(output.history, stdout)] : [];
  return answer(this, [...linkLines(output.link, stdout, true), ...history].join("\n"));
}

/** Runs the command. */
export default reporting(status);
