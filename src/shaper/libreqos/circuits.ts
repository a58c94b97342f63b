/** Circuits as LibreQoS loads them: rows of one id together, what the first row says of them, and its crashes. */
import type { Location } from "../../core/errors.ts";
import { type Both, type Direction, DIRECTIONS } from "../model.ts";
import type { Report } from "./messages.ts";
import { OBSERVED_CIRCUIT } from "./observe.ts";
import { PythonError } from "./python/error.ts";
import { parseIntText } from "./python/number.ts";
import { type CheckedRow, type RateColumn, type Row, splitAddresses } from "./rows.ts";

/** A device as queuingStructure.json shows it. Nothing is parsed: addresses are the texts of the cell. */
export interface LibreqosDevice {
  readonly id: string;
  readonly name: string;
  readonly mac: string;
  readonly ipv4s: readonly string[];
  readonly ipv6s: readonly string[];
  readonly comment: string;
}

/** A circuit. Rates are in Mbit/s, and floats of Python, nan and inf among them. */
export interface LibreqosCircuit {
  readonly id: string;
  readonly name: string;
  /** Name of a node, {@link NO_PARENT}, or a Generated_PN once orphans have their places. */
  readonly parent: string;
  readonly max: Both<number>;
  readonly min: Both<number>;
  readonly comment: string;
  readonly devices: readonly LibreqosDevice[];
  readonly where: Location;
}

/** Parent of an orphan; a cell that says so means the same as an empty one. */
export const NO_PARENT = "none";

const COLUMNS: Readonly<Record<"min" | "max", Both<RateColumn>>> = {
  min: { download: "downloadMin", upload: "uploadMin" },
  max: { download: "downloadMax", upload: "uploadMax" },
};
/** In the order in which rates are compared. */
const RATES = (["min", "max"] as const).flatMap((kind) => DIRECTIONS.map((direction) => ({ kind, direction })));

type Draft = LibreqosCircuit & { readonly devices: LibreqosDevice[] };

const deviceOf = (row: Row): LibreqosDevice => ({
  id: row.deviceId,
  name: row.deviceName,
  mac: row.mac,
  ipv4s: splitAddresses(row.ipv4),
  ipv6s: splitAddresses(row.ipv6),
  comment: row.comment,
});

function ratesOf(rates: CheckedRow["rates"], kind: "min" | "max", monitorOnly: boolean): Both<number> {
  const rate = (d: Direction): number => (monitorOnly ? OBSERVED_CIRCUIT : rates[COLUMNS[kind][d]]);
  return { download: rate("download"), upload: rate("upload") };
}

/**
 * Whether a further row says other rates than the first. LibreQoS reads the further row's cells with `int()`, one after
 * the other until one differs; so a circuit of two devices with `2.5` in an equal cell ends everything.
 */
function ratesDiffer(circuit: LibreqosCircuit, row: Row): boolean {
  return RATES.some(({ kind, direction }) => {
    const column = COLUMNS[kind][direction];
    const rate = parseIntText(row[column], () => ({
      reason: `A further device of circuit "${circuit.id}" has ${column} "${row[column]}", and LibreQoS takes only whole rates there`,
      remedy: "Write whole rates in circuits of several devices, or use sluice's own dialect",
      where: row.where,
    }));
    return rate !== circuit[kind][direction];
  });
}

function compare(circuit: LibreqosCircuit, row: Row, monitorOnly: boolean, report: Report): void {
  if (circuit.parent !== NO_PARENT && circuit.parent !== row.parent) {
    const text = `Device ${row.deviceName} with deviceID ${row.deviceId} had different Parent Node from other devices of circuit ID #${row.circuitId}`;
    throw new PythonError("ValueError", text, {
      reason: `A further device of circuit "${circuit.id}" has the parent node "${row.parent}", the first has "${circuit.parent}"`,
      remedy: "Give all rows of a circuit the same parent node",
      where: row.where,
    });
  }
  if (monitorOnly || !ratesDiffer(circuit, row)) return;
  const text = `Device ${row.deviceName} with ID ${row.deviceId} had different bandwidth parameters than other devices on this circuit. Will instead use the bandwidth parameters defined by the first device added to its circuit.`;
  report.warn(text, {
    reason: `A further device of circuit "${circuit.id}" has other rates than the first, whose rates hold`,
    remedy: "Give all rows of a circuit the same rates",
    where: row.where,
  });
}

/**
 * Joins rows to circuits, in the order of their first rows.
 *
 * @param rows valid ones: ids are there and rates are numbers
 * @throws PythonError ValueError where LibreQoS ends (see {@link ratesDiffer}, and for parents that differ)
 */
export function loadCircuits(rows: readonly CheckedRow[], monitorOnly: boolean, report: Report): LibreqosCircuit[] {
  const circuits = new Map<string, Draft>();
  for (const { row, rates } of rows) {
    const known = circuits.get(row.circuitId);
    if (known) {
      compare(known, row, monitorOnly, report);
      known.devices.push(deviceOf(row));
      continue;
    }
    circuits.set(row.circuitId, {
      id: row.circuitId,
      name: row.circuitName,
      parent: row.parent === "" ? NO_PARENT : row.parent,
      max: ratesOf(rates, "max", monitorOnly),
      min: ratesOf(rates, "min", monitorOnly),
      comment: row.comment,
      devices: [deviceOf(row)],
      where: row.where,
    });
  }
  return [...circuits.values()];
}
