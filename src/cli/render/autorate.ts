/** Links that follow their lines, for people. */
import type { AutorateLinkJson, AutorateTickJson } from "../../api/schemas/autorate.ts";
import { humanRate } from "../../core/units.ts";
import type { Output } from "../context.ts";
import { DIRECTIONS, type Direction } from "./circuits.ts";
import { printable } from "./printable.ts";
import { type Column, style, table } from "./table.ts";

const NONE = "-";

const rate = (bits: number | null): string => (bits === null ? NONE : humanRate(bits));
const ms = (value: number | null, digits = 1): string => (value === null ? NONE : value.toFixed(digits));
const percent = (share: number | null): string => (share === null ? NONE : `${Math.round(share * 100)} %`);

/** The branch taken, what kept it from going further, and what the line is taken to carry. */
function decisionText({ decision }: AutorateTickJson["download"]): string {
  if (!decision) return NONE;
  const { branch, blocked, capacityBitsPerSecond: capacity } = decision;
  const why = blocked === null ? "" : ` (${blocked})`;
  return `${branch}${why}${capacity === null ? "" : `, line ${rate(capacity)}`}`;
}

interface SideRow {
  readonly direction: Direction;
  readonly link: AutorateLinkJson;
}

const sideOf = ({ link, direction }: SideRow): AutorateTickJson["download"] | undefined => link.last?.[direction];

const SIDES: readonly Column<SideRow>[] = [
  { title: "", cell: ({ direction }) => direction },
  { title: "RATE", align: "right", cell: (row) => rate(sideOf(row)?.rateBitsPerSecond ?? null) },
  { title: "SENT", align: "right", cell: (row) => rate(sideOf(row)?.achievedBitsPerSecond ?? null) },
  { title: "LOAD", align: "right", cell: (row) => percent(sideOf(row)?.load ?? null) },
  { title: "DELAY MS", align: "right", cell: (row) => ms(sideOf(row)?.deltaMs ?? null) },
  { title: "LIMIT MS", align: "right", cell: (row) => ms(sideOf(row)?.thresholdMs ?? null) },
  {
    title: "BOUNDS",
    cell: ({ link, direction }) => {
      const { minBitsPerSecond: min, baseBitsPerSecond: base, maxBitsPerSecond: max } = link[direction]!;
      return `${rate(min)} .. ${rate(base)} .. ${max === null ? "no limit" : rate(max)}`;
    },
  },
  {
    title: "DECISION",
    cell: (row) => {
      const side = sideOf(row);
      const text = side ? decisionText(side) : NONE;
      return row.link[row.direction]!.adjust ? text : `${text} (not written)`;
    },
  },
  { title: "TARGET", cell: ({ link, direction }) => link[direction]!.target },
];

type Reflector = AutorateLinkJson["reflectors"][number];

const pair = ({ download, upload }: { readonly download: number | null; readonly upload: number | null }): string =>
  `${ms(download)} / ${ms(upload)}`;

const REFLECTORS: readonly Column<Reflector>[] = [
  { title: "REFLECTOR", cell: ({ address }) => address },
  { title: "ASKED BY", cell: ({ mode }) => mode ?? NONE },
  { title: "AGE MS", align: "right", cell: ({ ageMs }) => ms(ageMs, 0) },
  { title: "BASE DOWN / UP", align: "right", cell: ({ baselineMs }) => pair(baselineMs) },
  { title: "RTT", align: "right", cell: ({ baselineMs }) => ms(baselineMs.rtt) },
  { title: "DELAY DOWN / UP", align: "right", cell: ({ deltaMs }) => pair(deltaMs) },
  { title: "LOST", align: "right", cell: ({ loss }) => percent(loss) },
  { title: "OFFENCES", align: "right", cell: ({ offences }) => String(offences) },
  { title: "WHY", cell: ({ reason }) => reason ?? "" },
];

/** A link with its directions; with `whole` also its reflectors and plugins. */
export function linkLines(link: AutorateLinkJson, output: Output, whole: boolean): string[] {
  const { name, controller, running, reason, last, usable } = link;
  const state = running ? (last?.state ?? "starting") : `not running: ${reason ?? "not started yet"}`;
  const heard = `${usable.count} reflectors answer${usable.reason === null ? "" : ` (${usable.reason})`}`;
  const lines = [style("bold", printable(`${name}: ${state}, controller ${controller}, ${heard}`), output)];
  for (const note of last?.notes ?? []) lines.push(printable(`  ${note}`));
  const rows = DIRECTIONS.filter((direction) => link[direction] !== null).map((direction) => ({ link, direction }));
  lines.push(...table(rows, SIDES, output));
  if (!whole) return lines;
  // Those that count first; of the others only what is known of them.
  const shown = link.reflectors.filter(({ asked, ageMs }) => asked || ageMs !== null);
  if (shown.length > 0) lines.push("", ...table(shown, REFLECTORS, output));
  for (const plugin of link.plugins) {
    const why = plugin.reason === null ? "" : `: ${plugin.reason}`;
    lines.push(printable(`plugin ${plugin.name} (${plugin.path}) ${plugin.state}${why}`));
  }
  return lines;
}

/** Directions that a link has, by some of its ticks: those that it has not are never set. */
const directionsOf = (ticks: readonly AutorateTickJson[]): readonly Direction[] =>
  DIRECTIONS.filter((direction) => ticks.some((tick) => tick[direction].rateBitsPerSecond > 0));

/** A tick in a line. */
export function tickLine(link: string, tick: AutorateTickJson): string {
  const side = (direction: Direction): string => {
    const { rateBitsPerSecond, achievedBitsPerSecond, deltaMs } = tick[direction];
    const sent = `${rate(achievedBitsPerSecond)} of ${rate(rateBitsPerSecond)}`;
    return `${direction} ${sent}, ${ms(deltaMs)} ms, ${decisionText(tick[direction])}`;
  };
  const notes = tick.notes.length > 0 ? `; ${tick.notes.join("; ")}` : "";
  const sides = directionsOf([tick]).map((direction) => side(direction));
  return printable(`${tick.time} ${link} ${tick.state}: ${sides.join("; ")}${notes}`);
}

const historyColumns = (directions: readonly Direction[]): readonly Column<AutorateTickJson>[] => [
  { title: "TIME", cell: ({ time }) => time.slice(11, 23) },
  { title: "STATE", cell: ({ state }) => state },
  ...directions.flatMap((direction): Column<AutorateTickJson>[] => [
    { title: direction.toUpperCase(), align: "right", cell: (tick) => rate(tick[direction].rateBitsPerSecond) },
    { title: "SENT", align: "right", cell: (tick) => rate(tick[direction].achievedBitsPerSecond) },
    { title: "MS", align: "right", cell: (tick) => ms(tick[direction].deltaMs) },
    { title: "DECISION", cell: (tick) => decisionText(tick[direction]) },
  ]),
];

/** The last ticks as a table. */
export const historyLines = (history: readonly AutorateTickJson[], output: Output): string[] =>
  table(history, historyColumns(directionsOf(history)), output);
