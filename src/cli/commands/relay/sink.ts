/** `sluice relay sink`: what arrives of a generator's datagrams, how, and how late. Needs no daemon. */
import type { SinkRequest } from "../../../control/relay/traffic-request.ts";
import { EXIT } from "../../../core/exit.ts";
import { humanRate } from "../../../core/units.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { type Column, table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Omit<SinkRequest, "places"> {
  readonly json: boolean;
}

const NONE = "-";
const whole = (value: number | undefined): string => (value === undefined ? NONE : String(Math.round(value)));

async function sink(this: CliContext, { json, ...flags }: Flags, ...places: readonly string[]): Promise<void> {
  const { sinkTraffic } = await import("../../../control/relay/traffic.ts");
  const ready = (): void => note(this, `listening at ${places.join(", ")}`);
  const came = await sinkTraffic({ ...flags, places }, this.signal, ready);
  const rows = came.flatMap(({ streams }, index) =>
    streams.map(({ delay, seconds, ...counts }) => ({
      place: places[index]!,
      ...counts,
      seconds,
      packetsPerSecond: seconds > 0 ? (counts.packets - 1) / seconds : 0,
      bitsPerSecond: seconds > 0 ? (8 * counts.bytes) / seconds : 0,
      delayMicroseconds: delay ?? null,
    })),
  );
  // What was listened for did not come whole.
  if (rows.length === 0 || rows.some(({ lost }) => lost > 0)) this.process.exitCode = EXIT.failure;
  const sockets = came.map(({ others, dropped }, index) => ({ place: places[index]!, others, dropped }));
  if (json) return answerJson(this, { schema: "sluice/relay-sink/1", streams: rows, places: sockets });
  const columns: Column<(typeof rows)[number]>[] = [
    { title: "AT", cell: ({ place }) => place },
    { title: "STREAM", align: "right", cell: ({ stream }) => String(stream) },
    { title: "CAME", align: "right", cell: ({ packets }) => String(packets) },
    { title: "LOST", align: "right", cell: ({ lost }) => String(lost) },
    { title: "TWICE", align: "right", cell: ({ duplicates }) => String(duplicates) },
    { title: "REORDERED", align: "right", cell: ({ reordered, stale }) => String(reordered + stale) },
    { title: "PACKETS/S", align: "right", cell: ({ packetsPerSecond }) => whole(packetsPerSecond) },
    { title: "RATE", align: "right", cell: ({ bitsPerSecond }) => humanRate(Math.round(bitsPerSecond)) },
    { title: "P50 US", align: "right", cell: ({ delayMicroseconds }) => whole(delayMicroseconds?.p50) },
    { title: "P99 US", align: "right", cell: ({ delayMicroseconds }) => whole(delayMicroseconds?.p99) },
    { title: "MAX US", align: "right", cell: ({ delayMicroseconds }) => whole(delayMicroseconds?.max) },
  ];
  for (const { place, others, dropped } of sockets) {
    if (dropped > 0) note(this, `${dropped} datagrams at ${place} came faster than they could be taken in`);
    if (others > 0) note(this, `${others} datagrams at ${place} were not of sluice relay generate`);
  }
  if (rows.length === 0) return note(this, "Nothing came; sluice relay why GROUP says why on the relay");
  return answer(this, table(rows, columns, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(sink);
