/** `sluice cleanup`: removes everything that sluice made on the configured devices, and nothing else. */
import { answer, answerJson, type CliContext } from "../context.ts";
import { type LockFlags, lockTimeoutOf } from "../lock-timeout.ts";
import { perform, type PlaceFlags } from "../perform.ts";
import { planLines } from "../render/problems.ts";
import { reporting } from "../report.ts";

interface Flags extends PlaceFlags, LockFlags {
  readonly json: boolean;
}

async function cleanup(this: CliContext, flags: Flags): Promise<void> {
  const lockTimeout = lockTimeoutOf(flags);
  const body = lockTimeout === undefined ? {} : { lockTimeout };
  const output = await perform(this, flags, "shaper.cleanup", { body });
  if (flags.json) return answerJson(this, output);
  const lines = planLines(output.actions);
  return answer(this, lines.length > 0 ? lines.join("\n") : "Nothing of sluice's is there.");
}

/** Runs the command. */
export default reporting(cleanup);
