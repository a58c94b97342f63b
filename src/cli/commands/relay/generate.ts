/** `sluice relay generate`: numbered datagrams at a pace, to measure a way by. Needs no daemon. */
import type { GenerateRequest } from "../../../control/relay/traffic-request.ts";
import { EXIT } from "../../../core/exit.ts";
import { humanRate } from "../../../core/units.ts";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { type Column, table } from "../../render/table.ts";
import { reporting } from "../../report.ts";

interface Flags extends Omit<GenerateRequest, "places"> {
  readonly json: boolean;
}

async function generate(this: CliContext, { json, ...flags }: Flags, ...places: readonly string[]): Promise<void> {
  const { generateTraffic } = await import("../../../control/relay/traffic.ts");
  const { streams, seconds } = await generateTraffic({ ...flags, places }, this.signal);
  const rows = streams.map(({ packets, bytes, errors, error, unsent }, index) => ({
    place: places[index]!,
    packets,
    unsent,
    bytes,
    packetsPerSecond: packets / seconds,
    bitsPerSecond: (8 * bytes) / seconds,
    errors,
    error: error ?? null,
  }));
  if (rows.some(({ errors, unsent }) => errors + unsent > 0)) this.process.exitCode = EXIT.failure;
  if (json) return answerJson(this, { schema: "sluice/relay-generate/1", seconds, streams: rows });
  const columns: Column<(typeof rows)[number]>[] = [
    { title: "TO", cell: ({ place }) => place },
    { title: "SENT", align: "right", cell: ({ packets }) => String(packets) },
    { title: "PACKETS/S", align: "right", cell: ({ packetsPerSecond }) => String(Math.round(packetsPerSecond)) },
    { title: "RATE", align: "right", cell: ({ bitsPerSecond }) => humanRate(Math.round(bitsPerSecond)) },
    { title: "REFUSED", align: "right", cell: ({ errors, error }) => (error === null ? "0" : `${errors}: ${error}`) },
  ];
  for (const { place, unsent } of rows)
    if (unsent > 0) note(this, `${unsent} to ${place} were announced and not sent: a sink counts them as lost`);
  return answer(this, table(rows, columns, this.process.stdout).join("\n"));
}

/** Runs the command. */
export default reporting(generate);
