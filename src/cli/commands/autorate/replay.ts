/** `sluice autorate replay TRACE`: what another controller would have done. Reads files, touches nothing. */
import type { ReplayTick } from "../../../control/autorate/replay.ts";
import { both } from "../../../core/both.ts";
import { humanRate } from "../../../core/units.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { DIRECTIONS } from "../../render/circuits.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly controller: string;
  readonly own: boolean;
  readonly seed: number;
  readonly all: boolean;
}

type Row = ReplayTick;

const kbits = (rate: number): string => humanRate(rate * 1000);

/** Where the two differ by more than a percent, or every tick. */
const shown = (ticks: readonly Row[], all: boolean): readonly Row[] =>
  all
    ? ticks
    : ticks.filter(({ rates, recorded }) => DIRECTIONS.some((d) => Math.abs(rates[d] / recorded[d] - 1) > 0.01));

async function replay(this: CliContext, flags: Flags, path: string): Promise<void> {
  const { replayFile } = await import("../../../control/autorate/replay.ts");
  const { controller, own, seed } = flags;
  const { header, faults, ticks } = await replayFile({ path, controller, own, seed, options: {} });
  if (flags.json) {
    const rows = ticks.map(({ at, recorded, rates, decision }) => ({
      atSeconds: at,
      recordedBitsPerSecond: both((d) => recorded[d] * 1000),
      rateBitsPerSecond: both((d) => rates[d] * 1000),
      branch: both((d) => decision[d].branch),
      blocked: both((d) => decision[d].blocked ?? null),
    }));
    const { link, controller: recordedBy } = header;
    return answerJson(this, {
      schema: "sluice/autorate-replay/1",
      link,
      recordedBy,
      controller,
      faults,
      ticks: rows,
    });
  }
  const rows = shown(ticks, flags.all);
  const columns = [
    { title: "S", align: "right" as const, cell: ({ at }: Row) => at.toFixed(1) },
    ...DIRECTIONS.flatMap((d) => [
      { title: d.toUpperCase(), align: "right" as const, cell: ({ recorded }: Row) => kbits(recorded[d]) },
      { title: controller, align: "right" as const, cell: ({ rates }: Row) => kbits(rates[d]) },
      {
        title: "DECISION",
        cell: ({ decision }: Row) => `${decision[d].branch}${decision[d].blocked ? ` (${decision[d].blocked})` : ""}`,
      },
    ]),
  ];
  if (rows.length > 0) answer(this, table(rows, columns, this.process.stdout).join("\n"));
  for (const { line, reason } of faults) note(this, `line ${line} of ${path} was passed over: ${reason}`);
  return note(
    this,
    `${ticks.length} ticks by ${header.controller}; ${controller} differs by more than 1 % in ${shown(ticks, false).length}.`,
  );
}

/** Runs the command. */
export default reporting(replay);
