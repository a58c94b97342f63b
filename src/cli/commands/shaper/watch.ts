/** `sluice shaper watch`: what nodes send, as it goes on. */
import type { Output } from "../../../api/routes.ts";
import { humanRate } from "../../../core/units.ts";
import { answer, type CliContext } from "../../context.ts";
import { follow } from "../../perform.ts";
import { DIRECTIONS, type Direction } from "../../render/circuits.ts";
import { table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags {
  readonly json: boolean;
  readonly interval?: number;
}

type Sample = Output<"shaper.counters">;
type Row = Sample["nodes"][number];

/** Bit/s between two samples. */
function rateOf(before: Row | undefined, now: Row, direction: Direction, seconds: number): string {
  const bytes = (now[direction]?.bytes ?? 0) - (before?.[direction]?.bytes ?? 0);
  return before && seconds > 0 ? humanRate(Math.max(0, Math.round((bytes * 8) / seconds))) : "-";
}

async function watch(this: CliContext, flags: Flags): Promise<void> {
  const query = flags.interval === undefined ? {} : { interval: String(flags.interval) };
  let last: Sample | undefined;
  return follow(this, "shaper.counters", { query }, (sample) => {
    if (flags.json) return answer(this, JSON.stringify(sample));
    const before = new Map(last?.nodes.map((row) => [row.name, row]));
    const seconds = last ? (Date.parse(sample.time) - Date.parse(last.time)) / 1000 : 0;
    const columns = [
      { title: `NODE (${sample.time})`, cell: ({ name }: Row) => name },
      ...DIRECTIONS.map((d) => ({
        title: d.toUpperCase(),
        align: "right" as const,
        cell: (row: Row) => rateOf(before.get(row.name), row, d, seconds),
      })),
    ];
    if (last) answer(this, `${table(sample.nodes, columns, this.process.stdout).join("\n")}\n`);
    last = sample;
    return undefined;
  });
}

/** Runs the command. */
export default reporting(watch);
