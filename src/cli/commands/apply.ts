/** `sluice apply`: makes the kernel hold what the files say. */
import { formatSummary, summarize } from "../../core/plan.ts";
import { SHAPER_ACTIONS } from "../../shaper/actions.ts";
import { type ExecutorChoice, Shaper } from "../../shaper/shaper.ts";
import { sluiceError } from "../../core/errors.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { warningLines } from "../render/problems.ts";
import { progressBar } from "../render/progress.ts";
import { reporting } from "../report.ts";
import { type PlaceFlags, placeOf, readInputs } from "../shaper-inputs.ts";

interface Flags extends PlaceFlags {
  readonly json: boolean;
  readonly replaceForeign: boolean;
  readonly rebalance: boolean;
  readonly executor: "netlink" | "tc" | "file";
  readonly output?: string;
}

function executorOf({ executor, output }: Flags): ExecutorChoice {
  if (executor !== "file") return { kind: executor };
  if (output === undefined) {
    throw sluiceError("USAGE", { reason: "--executor file needs --output FILE", command: "sluice apply" });
  }
  return { kind: "file", path: output };
}

async function apply(this: CliContext, flags: Flags): Promise<void> {
  const executor = executorOf(flags);
  const inputs = await readInputs(flags);
  using shaper = Shaper.open(placeOf(flags), inputs.config.link);
  using _lock = shaper.lock();
  const plan = shaper.plan(inputs.isp, inputs.config, flags);
  const warnings = [...inputs.warnings, ...plan.warnings];
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
