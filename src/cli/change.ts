/** What the dispatcher's commands that change something share: their flags, and how they end. */
import type { PlannedJson } from "../api/schemas/dispatcher.ts";
import type { Problem } from "../core/errors.ts";
import { EXIT } from "../core/exit.ts";
import { formatSummary } from "../core/plan.ts";
import { answer, answerJson, type CliContext, note } from "./context.ts";
import { type LockFlags, lockTimeoutOf } from "./lock-timeout.ts";
import type { PlaceFlags } from "./perform.ts";
import { planLines, warningLines } from "./render/problems.ts";

/** Flags of commands that change something. */
export interface ChangeFlags extends LockFlags, Pick<PlaceFlags, "direct"> {
  readonly json: boolean;
  readonly plan: boolean;
}

/** What every change is told. */
export function changeOf(flags: ChangeFlags): { readonly plan: boolean; readonly lockTimeout?: number } {
  const lockTimeout = lockTimeoutOf(flags);
  return { plan: flags.plan, ...(lockTimeout !== undefined && { lockTimeout }) };
}

/** Flags that carry metadata. */
export interface MetadataFlags {
  readonly metadata?: readonly string[] | undefined;
  readonly application?: string | undefined;
}

/** Metadata as the flags give it, the application among it. @throws SluiceError USAGE */
export async function metadataOf({ metadata, application }: MetadataFlags): Promise<Record<string, string>> {
  const { APPLICATION, parseMetadata } = await import("../control/words.ts");
  const pairs = (metadata ?? []).map((word) => parseMetadata(word));
  return Object.fromEntries(application === undefined ? pairs : [...pairs, [APPLICATION, application]]);
}

/** The same as a query asks for it; nothing when nothing is asked for. @throws SluiceError USAGE */
export async function metadataQuery(flags: MetadataFlags): Promise<{ readonly metadata?: string }> {
  const pairs = Object.entries(await metadataOf(flags)).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? {} : { metadata: pairs.join(",") };
}

/** Shows the warnings of a change on stderr. */
export function noteWarnings(context: CliContext, { warnings }: { readonly warnings: readonly Problem[] }): void {
  for (const line of warningLines(warnings)) note(context, line);
}

/** Shows a plan that was not carried out. */
export function answerPlan(context: CliContext, plan: PlannedJson, flags: { readonly json: boolean }): void {
  if (flags.json) return answerJson(context, plan);
  noteWarnings(context, plan);
  const count = { "+": 0, "~": 0, "-": 0 };
  for (const { sign } of plan.actions) count[sign] += 1;
  return answer(context, [...planLines(plan.actions), "", formatSummary(count)].join("\n"));
}

/** What came of several, each by itself. */
interface Taken {
  readonly [field: string]: unknown;
  readonly schema: string;
  readonly failed: readonly { readonly id: number; readonly message: string }[];
  readonly warnings: readonly Problem[];
}

/** Answers with what was done to each, and exits with 1 when one failed. */
export function answerTaken(
  context: CliContext,
  flags: { readonly json: boolean },
  taken: Taken,
  { noun, done, ids }: { readonly noun: string; readonly done: string; readonly ids: readonly number[] },
): void {
  noteWarnings(context, taken);
  const { failed } = taken;
  if (flags.json) answerJson(context, taken);
  else for (const id of ids) answer(context, `${noun} ${id} ${done}`);
  if (failed.length === 0) return;
  for (const { id, message } of failed) note(context, `${noun} ${id}: ${message}`);
  note(context, `${failed.length} of ${failed.length + ids.length} ${noun}(s) could not be ${done}`);
  context.process.exitCode = EXIT.failure;
}
