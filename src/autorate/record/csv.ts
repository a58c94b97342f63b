/** The statistics file of sqm-autorate: its columns, as its readers (plotstats) want them. Pure. */
import type { Both } from "../../core/both.ts";

/** The first line. */
export const CSV_HEADER = "times,timens,rxload,txload,deltadelaydown,deltadelayup,dlrate,uprate";

/** One tick. */
export interface CsvRow {
  /** Since the epoch. */
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly load: Both<number>;
  /** ms */
  readonly delta: Both<number>;
  /** kbit/s */
  readonly rate: Both<number>;
}

const DECIMALS = 6;

/**
 * C's `%f`: six decimals, and of two that are equally near the even one, where toFixed takes the larger. Ties need a
 * fraction that binary holds exactly and that has seven decimals: an odd multiple of 1/128.
 */
export function percentF(value: number): string {
  const rounded = value.toFixed(DECIMALS);
  const parts = Math.abs(value * 128);
  if (!Number.isInteger(parts) || parts % 2 === 0) return rounded;
  const cut = value.toFixed(DECIMALS + 1).slice(0, -1);
  return Number(cut.at(-1)) % 2 === 0 ? cut : rounded;
}

/** The line of a tick, without its end. */
export function csvRow({ seconds, nanoseconds, load, delta, rate }: CsvRow): string {
  const floats = [load.download, load.upload, delta.download, delta.upload].map((value) => percentF(value));
  return [seconds, nanoseconds, ...floats, Math.trunc(rate.download), Math.trunc(rate.upload)].join(",");
}

/** The first line of the file of safe rates. */
export const HISTORY_HEADER = "time,counter,upspeed,downspeed";

/** All safe rates, a line each, without its end. @param seconds since the start */
export const historyRows = (seconds: number, { download, upload }: Both<readonly number[]>): string[] =>
  download.map((rate, slot) => [percentF(seconds), slot, percentF(upload[slot]!), percentF(rate)].join(","));
