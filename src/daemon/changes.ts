/** Changes of the shaper as the daemon makes them: shown in the log, followed by listeners, kept in the store. */
import type { Output } from "../api/routes.ts";
import type { Inputs } from "../control/files.ts";
import { type ApplyOptions, applyInputs } from "../control/shaper/apply.ts";
import { messageOf } from "../core/errors.ts";
import { explainError } from "../core/explain.ts";
import { logger } from "../core/log.ts";
import { summarize } from "../core/plan.ts";
import { actionJson, SHAPER_ACTIONS, type ShaperAction } from "../shaper/actions.ts";
import type { System } from "./system.ts";

/** Lines of a plan that the log shows. */
const LINES_SHOWN = 20;
/** Progress is told at most so often, in milliseconds. */
const PROGRESS_EVERY = 100;

const log = logger("shaper");

/** What is done in whose name. */
export interface Errand {
  /** `start`, `reload`, `drift`, or the user of a request. */
  readonly who: string;
  /** The configuration that it is done for; null when it is not kept yet. */
  readonly configuration: number | null;
}

function showPlan(actions: readonly ShaperAction[], { who }: Errand): void {
  log.info("plan of {count} actions for {who}", { count: actions.length, who });
  for (const action of actions.slice(0, LINES_SHOWN))
    log.info("{sign} {action}", { sign: SHAPER_ACTIONS.sign(action), action: SHAPER_ACTIONS.describe(action) });
  if (actions.length > LINES_SHOWN) log.info("... and {count} more", { count: actions.length - LINES_SHOWN });
}

const summaryOf = (actions: readonly ShaperAction[]) => {
  const count = summarize({ actions, warnings: [] }, SHAPER_ACTIONS);
  return { add: count["+"], change: count["~"], remove: count["-"] };
};

/** What an error comes down to in one line. */
export const reasonOf = (error: unknown): string => explainError(error).problems[0]?.message ?? messageOf(error);

/** Applies inputs. @throws SluiceError what kept it from being done; then the kernel is as it was */
export async function applyChange(
  { place, journal, progress }: System,
  inputs: Inputs,
  options: ApplyOptions,
  errand: Errand,
): Promise<Output<"shaper.apply">> {
  const { who, configuration } = errand;
  const tell = (phase: "begun" | "going" | "applied" | "failed", done: number, total: number): void =>
    progress.publish({ schema: "sluice/plan-progress/1", phase, who, domain: "shaper", done, total });
  let actions: readonly ShaperAction[] = [];
  let told = 0;
  const onProgress = (done: number, total: number): void => {
    const now = place.clock.monotonic();
    if (now - told < PROGRESS_EVERY) return;
    told = now;
    tell("going", done, total);
  };
  const planned = (made: readonly ShaperAction[]): void => {
    actions = made;
    if (made.length === 0) return;
    showPlan(made, errand);
    tell("begun", 0, made.length);
  };
  const started = place.clock.monotonic();
  const record = (result: "applied" | "failed", reason?: string): void => {
    if (actions.length === 0) return;
    const milliseconds = Math.round(place.clock.monotonic() - started);
    const summary = summaryOf(actions);
    const row = { who, domain: "shaper", configuration, summary, result, milliseconds };
    const id = journal.plan({ ...row, ...(reason !== undefined && { reason }) }, actions.map(actionJson));
    tell(result, result === "applied" ? actions.length : 0, actions.length);
    const { add, change, remove } = summary;
    const text = `${add} to add, ${change} to change, ${remove} to remove`;
    if (result === "applied")
      journal.record("plan.applied", "info", `Applied for ${who}: ${text}`, { plan: id, summary });
    else journal.record("plan.failed", "error", `Could not apply for ${who}: ${reason}`, { plan: id, summary });
  };
  try {
    const { output } = await applyInputs({ ...place, onProgress }, inputs, options, { planned });
    record("applied");
    return output;
  } catch (error) {
    record("failed", reasonOf(error));
    throw error;
  }
}
