/** `sluice apply`: makes the kernel hold what the files say. */
import { formatSummary } from "../../core/plan.ts";
import { sluiceError } from "../../core/errors.ts";
import { answer, answerJson, type CliContext, note } from "../context.ts";
import { type LockFlags, lockTimeoutOf } from "../lock-timeout.ts";
import { perform, type PlaceFlags, placeOf } from "../perform.ts";
import { signCount, warningLines } from "../render/problems.ts";
import { progressBar } from "../render/progress.ts";
import { reporting } from "../report.ts";

interface Flags extends PlaceFlags, LockFlags {
  readonly json: boolean;
  readonly replaceForeign: boolean;
  readonly rebalance: boolean;
  readonly executor: "netlink" | "tc" | "file";
  readonly output?: string;
}

/** Whoever names a file wants to read first what would be done. */
function checkOutput({ executor, output }: Flags): void {
  if ((executor === "file") === (output !== undefined)) return;
  const reason = output === undefined ? "--executor file needs --output FILE" : "--output FILE needs --executor file";
  throw sluiceError("USAGE", { reason, command: "sluice apply" });
}

/** Writes what would be done to a file, in this process. */
async function applyToFile(context: CliContext, flags: Flags, path: string) {
  const place = placeOf(context, flags);
  const { readInputs } = await import("../../control/files.ts");
  const { applyInputs } = await import("../../control/shaper/apply.ts");
  const inputs = readInputs(place.config);
  const { replaceForeign, rebalance } = flags;
  const lockTimeout = lockTimeoutOf(flags);
  const { output } = await applyInputs(place, inputs, {
    replaceForeign,
    rebalance,
    // LibreQoS's batch is LibreQoS's to the letter.
    executor: { kind: "file", path, comments: inputs.config.dialect === "sluice" },
    ...(lockTimeout !== undefined && { lockTimeout }),
  });
  return output;
}

async function apply(this: CliContext, flags: Flags): Promise<void> {
  const lockTimeout = lockTimeoutOf(flags);
  checkOutput(flags);
  const { replaceForeign, rebalance, executor, output: file } = flags;
  const onProgress = progressBar(this.process.stderr);
  const body = { replaceForeign, rebalance, ...(lockTimeout !== undefined && { lockTimeout }) };
  const output =
    executor === "file"
      ? await applyToFile(this, flags, file!)
      : await perform(
          this,
          flags,
          "shaper.apply",
          { body: { ...body, executor } },
          { ...(onProgress && { onProgress }) },
        );
  if (flags.json) return answerJson(this, output);
  for (const line of warningLines(output.warnings)) note(this, line);
  const { add, change, remove } = output.summary;
  if (add + change + remove === 0) return answer(this, "Nothing to change.");
  const what = executor === "file" ? `Written to ${file}` : `Applied in ${output.milliseconds} ms`;
  return answer(this, `${what}: ${formatSummary(signCount(output.summary))}.`);
}

/** Runs the command. */
export default reporting(apply);
