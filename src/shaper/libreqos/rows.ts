/** The rows of `ShapedDevices.csv` as the Python side of LibreQoS sees them: thirteen cells by position. */
import type { Location } from "../../core/errors.ts";
import { type CsvRecord, readCsv, universalNewlines } from "./python/csv.ts";
import { PythonError } from "./python/error.ts";

/** The columns, in order; what the header calls them does not matter. */
export const LIBREQOS_COLUMNS = [
  "circuitId",
  "circuitName",
  "deviceId",
  "deviceName",
  "parent",
  "mac",
  "ipv4",
  "ipv6",
  "downloadMin",
  "uploadMin",
  "downloadMax",
  "uploadMax",
  "comment",
] as const;

/** A column's name. */
export type LibreqosColumn = (typeof LIBREQOS_COLUMNS)[number];

/** Columns with rates, in the order in which they are checked. */
export const RATE_COLUMNS = ["downloadMin", "uploadMin", "downloadMax", "uploadMax"] as const;
/** Name of a column with a rate. */
export type RateColumn = (typeof RATE_COLUMNS)[number];

/** A row: its cells as they stand, blanks and all, and where it stands. */
export interface Row extends Readonly<Record<LibreqosColumn, string>> {
  readonly where: Location;
}

/** A row that was checked, with its rates as numbers (Mbit/s; nan and inf pass the check). */
export interface CheckedRow {
  readonly row: Row;
  readonly rates: Readonly<Record<RateColumn, number>>;
}

/**
 * Splits a file into records: without those whose first cell begins with `#`, and without the first of the others, which
 * LibreQoS takes for the header whatever it says. A file without header so loses its first device.
 *
 * @throws PythonError IndexError for a blank line, and for a file with no record at all
 */
export function readRecords(text: string, file: string): CsvRecord[] {
  const records = readCsv(universalNewlines(text)).filter(({ cells, line }) => {
    const [first] = cells;
    if (first !== undefined) return !first.startsWith("#");
    throw new PythonError("IndexError", "list index out of range", {
      reason: "The line is blank",
      remedy: "Remove the line",
      where: { file, line },
    });
  });
  if (records.length === 0) {
    throw new PythonError("IndexError", "pop from empty list", {
      reason: "The device list holds not even a header",
      remedy: "Write a header row, and the devices below it",
      where: { file, line: 1 },
    });
  }
  return records.slice(1);
}

/** Names a record's cells. @throws PythonError ValueError unless there are thirteen */
export function unpackRow({ cells, line }: CsvRecord, file: string): Row {
  const wanted = LIBREQOS_COLUMNS.length;
  if (cells.length !== wanted) {
    const text =
      cells.length < wanted
        ? `not enough values to unpack (expected ${wanted}, got ${cells.length})`
        : `too many values to unpack (expected ${wanted})`;
    throw new PythonError("ValueError", text, {
      reason: `The row has ${cells.length} cells, wanted ${wanted}`,
      remedy: "Give every row the thirteen columns; quote cells that hold commas",
      where: { file, line },
    });
  }
  // Written out: rows made from a list of names are several times slower, and there are many.
  return {
    circuitId: cells[0]!,
    circuitName: cells[1]!,
    deviceId: cells[2]!,
    deviceName: cells[3]!,
    parent: cells[4]!,
    mac: cells[5]!,
    ipv4: cells[6]!,
    ipv6: cells[7]!,
    downloadMin: cells[8]!,
    uploadMin: cells[9]!,
    downloadMax: cells[10]!,
    uploadMax: cells[11]!,
    comment: cells[12]!,
    where: { file, line },
  };
}

/** The hosts and networks of an address cell: blanks mean nothing, commas part. */
export const splitAddresses = (cell: string): string[] => (cell === "" ? [] : cell.replaceAll(" ", "").split(","));
