/** `sluice apply`: makes the kernel hold what the files say. */
import { formatSummary, summarize } from "../../core/plan.ts";
import { SHAPER_ACTIONS } from "../../shaper/actions.ts";
import { type ExecutorChoice, Shaper } from "../../shaper/shaper.ts";
import { sluiceError } from "../../core/errors.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { type LockFlags, lockTimeoutOf } from "../lock-timeout.ts";
import { planInputs, warningsOf } from "../dialect.ts";
import { warningLines } from "../render/problems.ts";
import { progressBar } from "../render/progress.ts";
import { reporting } from "../report.ts";
import { type Inputs, type PlaceFlags, placeOf, readInputs } from "../shaper-inputs.ts";

interface Flags extends PlaceFlags, LockFlags {
  readonly json: boolean;
  readonly replaceForeign: boolean;
  readonly rebalance: boolean;
  readonly executor: "netlink" | "tc" | "file";
  readonly output?: string;
}

function executorOf({ executor, output }: Flags, { dialect }: Inputs["config"]): ExecutorChoice {
  if (executor !== "file") {
    // Whoever names a file wants to read first what would be done.
    if (output === undefined) return { kind: executor };
    throw sluiceError("USAGE", { reason: "--output FILE needs --executor file", command: "sluice apply" });
  }
  if (output === undefined) {
    throw sluiceError("USAGE", { reason: "--executor file needs --output FILE", command: "sluice apply" });
  }
  // LibreQoS's batch is LibreQoS's to the letter.
  return { kind: "file", path: output, comments: dialect === "sluice" };
}

async function apply(this: CliContext, flags: Flags): Promise<void> {
  const lockTimeout = lockTimeoutOf(flags);
  const inputs = await readInputs(flags);
  const executor = executorOf(flags, inputs.config);
  using shaper = Shaper.open(await placeOf(this, flags), inputs.config.link);
  using _lock = await shaper.lock(lockTimeout);
  const plan = await planInputs(shaper, inputs, flags);
  const warnings = warningsOf(inputs, plan);
  if (!flags.json) for (const line of warningLines(warnings)) note(this, line);
  const onProgress = progressBar(plan.actions.length, this.process.stderr);
  const started = this.clock.monotonic();
  await shaper.apply(plan, executor, { signal: this.signal, ...(onProgress && { onProgress }) });
  const milliseconds = Math.round(this.clock.monotonic() - started);
  const count = summarize(plan, SHAPER_ACTIONS);
  if (flags.json) {
    const summary = { add: count["+"], change: count["~"], remove: count["-"] };
    return answerJson(this, "apply", { summary, milliseconds, warnings });
  }
  if (plan.actions.length === 0) return answer(this, "Nothing to change.");
  const what = executor.kind === "file" ? `Written to ${executor.path}` : `Applied in ${milliseconds} ms`;
  return answer(this, `${what}: ${formatSummary(count)}.`);
}

/** Runs the command. */
export default reporting(apply);
