/** Metrics of links: rows of the table in ../metrics.ts. */
import type { TickRecord } from "../../autorate/record/tick.ts";
import { deltaStatistic } from "../../autorate/controllers/ewma.ts";
import { type Direction, DIRECTIONS } from "../../core/both.ts";
import type { Metric, Sample } from "../metrics.ts";
import type { Autorate } from "./autorate.ts";
import type { LinkState } from "./json.ts";

interface Read {
  readonly autorate: Autorate;
}

/** Of a kbit: Prometheus' units are base units, and bytes are that of data. */
const BYTES = 125;

const STATES: readonly TickRecord["state"][] = ["starting", "running", "idle", "stalled", "blind", "waiting"];

const each = ({ autorate }: Read, read: (state: LinkState) => readonly Sample[]): readonly Sample[] =>
  autorate.links.flatMap(({ state }) =>
    read(state).map(({ labels, value }) => ({ labels: { link: state.config.name, ...labels }, value })),
  );

/** A value per link and direction, where there is one. */
const sided =
  (value: (state: LinkState, direction: Direction) => number | undefined) =>
  (read: Read): readonly Sample[] =>
    each(read, (state) =>
      DIRECTIONS.flatMap((direction) => {
        const found = state.config.directions[direction] ? value(state, direction) : undefined;
        return found === undefined || !Number.isFinite(found) ? [] : [{ labels: { direction }, value: found }];
      }),
    );

/** The rows. */
export const autorateMetrics: readonly Metric<Read>[] = [
  {
    name: "sluice_autorate_state",
    type: "gauge",
    help: "1 for the state that a link is in",
    read: (read) =>
      each(read, ({ last }) =>
        STATES.map((state) => ({ labels: { state }, value: Number((last?.state ?? "starting") === state) })),
      ),
  },
  {
    name: "sluice_autorate_rate_bytes_per_second",
    type: "gauge",
    help: "What a direction of a link is set to",
    read: sided(({ last }, d) => {
      const rate = last?.rates[d];
      return rate === undefined ? undefined : rate * BYTES;
    }),
  },
  {
    name: "sluice_autorate_achieved_bytes_per_second",
    type: "gauge",
    help: "What a direction of a link sent between its last two ticks",
    read: sided(({ last }, d) => {
      const achieved = last?.input?.directions[d].achieved;
      return achieved === undefined ? undefined : achieved * BYTES;
    }),
  },
  {
    name: "sluice_autorate_capacity_bytes_per_second",
    type: "gauge",
    help: "What the controller takes a direction of the line to carry",
    read: sided(({ last }, d) => {
      const capacity = last?.decision?.[d].capacity;
      return capacity === undefined ? undefined : capacity * BYTES;
    }),
  },
  {
    name: "sluice_autorate_delay_seconds",
    type: "gauge",
    help: "One-way delay over the baseline, as the third lowest of the reflectors has it",
    read: sided(({ last }, d) => {
      const delta = last?.input && deltaStatistic(last.input.directions[d].deltas);
      return delta === undefined ? undefined : delta / 1000;
    }),
  },
  {
    name: "sluice_autorate_writes_total",
    type: "counter",
    help: "Rates that were written to the kernel",
    read: sided(({ open }, d) => open?.aims[d]?.writes.done),
  },
  {
    name: "sluice_autorate_write_failures_total",
    type: "counter",
    help: "Rates that the kernel did not take",
    read: sided(({ open }, d) => open?.aims[d]?.writes.failed),
  },
  {
    name: "sluice_autorate_reflectors",
    type: "gauge",
    help: "Reflectors that count and answer",
    read: (read) => each(read, ({ open }) => (open ? [{ value: open.usable().count }] : [])),
  },
  {
    name: "sluice_autorate_ticks_total",
    type: "counter",
    help: "Ticks of a link",
    read: (read) => each(read, ({ ticks }) => [{ value: ticks }]),
  },
];
