/** The files of a link: statistics and safe rates in sqm-autorate's columns, and the trace. */
import { both, type Both } from "../../core/both.ts";
import type { LinkConfig } from "../config.ts";
import { deltaStatistic } from "../controllers/ewma.ts";
import { CSV_HEADER, csvRow, HISTORY_HEADER, historyRows } from "./csv.ts";
import { RotatingFile, type RotatingFileOptions } from "./rotating-file.ts";
import type { TickRecord } from "./tick.ts";
import { type TraceHeader, traceLine } from "./trace.ts";

/** Between two dumps of the safe rates, ms. */
const HISTORY_EVERY = 300_000;
/** A trace is a line of a kilobyte and more ten times a second: this is an hour and a half of it, bytes. */
const TRACE_LIMIT = 64 * 2 ** 20;

/** Writes what is configured; nothing when nothing is. */
export class Recorder implements AsyncDisposable {
  readonly #stats: RotatingFile | undefined;
  readonly #history: RotatingFile | undefined;
  readonly #trace: RotatingFile | undefined;
  readonly #began: number;
  #dumped = Number.NEGATIVE_INFINITY;

  /** @param wall ms since the epoch @param failed told of a file that cannot be written, once in a row */
  constructor(config: LinkConfig, header: TraceHeader, wall: number, failed: (path: string, reason: string) => void) {
    const file = (
      path: string | undefined,
      first: string,
      more: Partial<RotatingFileOptions> = {},
    ): RotatingFile | undefined =>
      path === undefined
        ? undefined
        : new RotatingFile({ path, header: first, ...more, failed: (reason) => failed(path, reason) });
    this.#stats = file(config.statsFile, CSV_HEADER);
    this.#history = file(config.speedHistoryFile, HISTORY_HEADER);
    this.#trace = file(config.traceFile, traceLine(header), { limit: TRACE_LIMIT, heads: "runs" });
    this.#began = wall;
  }

  /** Takes a tick. @param history safe rates, for controllers that have some */
  take(record: TickRecord, history: Both<readonly number[]> | undefined): void {
    this.#trace?.add(traceLine({ kind: "tick", ...record }));
    this.#addStats(record);
    // A wall clock that was set back is no reason to wait.
    if (!history || Math.abs(record.wall - this.#dumped) < HISTORY_EVERY) return;
    this.#dumped = record.wall;
    for (const row of historyRows((record.wall - this.#began) / 1000, history)) this.#history?.add(row);
  }

  #addStats({ wall, input, decision, rates }: TickRecord): void {
    if (!this.#stats || !input || !decision) return;
    const delta = both((d) => deltaStatistic(input.directions[d].deltas));
    if (delta.download === undefined || delta.upload === undefined) return;
    const seconds = Math.floor(wall / 1000);
    const row = csvRow({
      seconds,
      nanoseconds: Math.round((wall - seconds * 1000) * 1e6),
      load: both((d) => input.directions[d].load),
      delta: { download: delta.download, upload: delta.upload },
      rate: rates,
    });
    this.#stats.add(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const files = [this.#stats, this.#history, this.#trace].filter((file) => file !== undefined);
    await Promise.all(files.map((file) => file[Symbol.asyncDispose]()));
  }
}
