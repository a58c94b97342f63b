/** `sluice change watch`: how far plans are that are being carried out. */
import { answer, type CliContext } from "../../context.ts";
import { follow } from "../../perform.ts";
import { reporting } from "../../report.ts";

async function watch(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  return follow(this, "plans.stream", {}, (progress) => {
    const { phase, who, domain, done, total } = progress;
    answer(this, flags.json ? JSON.stringify(progress) : `${domain} ${phase} for ${who}: ${done}/${total}`);
  });
}

/** Runs the command. */
export default reporting(watch);
