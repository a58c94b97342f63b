/** `sluice rollback`: the daemon holds the kernel to an earlier configuration. */
import { sluiceError } from "../../core/errors.ts";
import type { CliContext } from "../context.ts";
import { ask } from "../perform.ts";
import { answerReloaded } from "../reloaded.ts";
import { reporting } from "../report.ts";

/** Reads the number of a configuration. @throws SluiceError USAGE */
export function configurationId(word: string, command: string): number {
  const id = Number(word);
  if (/^\d{1,9}$/.test(word) && id > 0) return id;
  const reason = `Cannot use the configuration "${word}": it must be a number that sluice config list shows`;
  throw sluiceError("USAGE", { reason, command });
}

async function rollback(this: CliContext, flags: { readonly json: boolean }, word: string): Promise<void> {
  const id = configurationId(word, "sluice rollback");
  answerReloaded(this, flags, await ask(this, "config.rollback", { body: { id } }));
}

/** Runs the command. */
export default reporting(rollback);
