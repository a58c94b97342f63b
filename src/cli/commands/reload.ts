/** `sluice reload`: the daemon reads all files anew, checks them whole, and applies them. */
import type { CliContext } from "../context.ts";
import { ask } from "../perform.ts";
import { answerReloaded } from "../reloaded.ts";
import { reporting } from "../report.ts";

async function reload(this: CliContext, flags: { readonly json: boolean }): Promise<void> {
  answerReloaded(this, flags, await ask(this, "config.reload", {}));
}

/** Runs the command. */
export default reporting(reload);
