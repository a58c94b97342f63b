/** `sluice cleanup`: removes everything that sluice made on the configured devices, and nothing else. */
import { formatPlan } from "../../core/plan.ts";
import { actionJson, SHAPER_ACTIONS } from "../../shaper/actions.ts";
import { Shaper } from "../../shaper/shaper.ts";
import { answer, answerJson, type CliContext } from "../context.ts";
import { type LockFlags, lockTimeoutOf } from "../lock-timeout.ts";
import { ownership } from "../dialect.ts";
import { reporting } from "../report.ts";
import { type PlaceFlags, placeOf, readShaperConfig } from "../shaper-inputs.ts";

interface Flags extends PlaceFlags, LockFlags {
  readonly json: boolean;
}

async function cleanup(this: CliContext, flags: Flags): Promise<void> {
  const lockTimeout = lockTimeoutOf(flags);
  const { config } = await readShaperConfig(flags);
  using shaper = Shaper.open(await placeOf(this, flags), config.link);
  using _lock = await shaper.lock(lockTimeout);
  const plan = await shaper.removeAll({ signal: this.signal }, await ownership(config.dialect));
  if (flags.json) return answerJson(this, "cleanup", { actions: plan.actions.map((action) => actionJson(action)) });
  const lines = formatPlan(plan, SHAPER_ACTIONS);
  return answer(this, lines.length > 0 ? lines.join("\n") : "Nothing of sluice's is there.");
}

/** Runs the command. */
export default reporting(cleanup);
