/** `sluice autorate watch [LINK]`: ticks as they happen. */
import { answer, type CliContext } from "../../context.ts";
import { follow } from "../../perform.ts";
import { tickLine } from "../../render/autorate.ts";
import { reporting } from "../../report.ts";

function watch(this: CliContext, flags: { readonly json: boolean }, link?: string): Promise<void> {
  const query = link === undefined ? {} : { link };
  return follow(this, "autorate.stream", { query }, (message) => {
    answer(this, flags.json ? JSON.stringify(message) : tickLine(message.link, message.tick));
  });
}

/** Runs the command. */
export default reporting(watch);
