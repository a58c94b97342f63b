/** The Python side's check of `ShapedDevices.csv`, warning for warning. Its row numbers count kept rows from 2, not lines. */
import type { CsvRecord } from "./python/csv.ts";
import { ipAddress, ipNetwork } from "./python/ip-network.ts";
import { parseFloatText } from "./python/number.ts";
import type { Report } from "./messages.ts";
import { type CheckedRow, RATE_COLUMNS, type RateColumn, type Row, unpackRow } from "./rows.ts";

/** Below these, in Mbit/s, LibreQoS takes no rate. */
const LEAST: Readonly<Record<RateColumn, number>> = {
  downloadMin: 0.1,
  uploadMin: 0.1,
  downloadMax: 0.2,
  uploadMax: 0.2,
};

/** One address: fine, or refused by itself, or (undefined) an exception that takes the rest of its cell with it. */
function checkAddress(entry: string, family: 4 | 6): boolean | undefined {
  const network = ipNetwork(entry);
  if (network === undefined) return undefined;
  if (network === family) return true;
  const address = ipAddress(entry);
  return address === undefined ? undefined : address === family;
}

class DeviceChecker {
  readonly #report: Report;
  readonly #seen = new Set<string>();
  valid = true;

  constructor(report: Report) {
    this.#report = report;
  }

  refuse(row: Row, text: string, reason: string, remedy: string): void {
    this.valid = false;
    this.#report.refuse(text, { reason, remedy, where: row.where });
  }

  addresses(row: Row, number: number, column: "ipv4" | "ipv6"): void {
    if (row[column] === "") return;
    const [family, name] = column === "ipv4" ? ([4, "IPv4"] as const) : ([6, "IPv6"] as const);
    const cell = row[column].replaceAll(" ", "");
    const bad = (value: string): void => {
      const text = `Provided ${name} '${value}' in ShapedDevices.csv at row ${number} is not valid.`;
      const reason = `"${value}" is no ${name} host or network`;
      this.refuse(row, text, reason, "Write a host, or a network without host bits; several are parted by commas");
    };
    for (const entry of cell.split(",")) {
      if (this.#seen.has(entry)) {
        this.duplicate(row, number, name, entry);
        continue;
      }
      const fine = checkAddress(entry, family);
      if (fine === undefined) return bad(cell);
      if (!fine) bad(entry);
      this.#seen.add(entry);
    }
    return undefined;
  }

  /** The same text a second time. For IPv4 LibreQoS only warns; the later circuit gets the packets then. */
  duplicate(row: Row, number: number, name: "IPv4" | "IPv6", entry: string): void {
    const text = `Provided ${name} '${entry}' in ShapedDevices.csv at row ${number} is duplicate.`;
    const reason = `The address ${entry} stands twice in the list`;
    const remedy = "Let every address stand once in the list";
    if (name === "IPv6") this.refuse(row, text, reason, remedy);
    else this.#report.warn(text, { reason, remedy, where: row.where });
  }

  /** Reads a rate; undefined when it is no number. */
  rate(row: Row, number: number, column: RateColumn): number | undefined {
    const cell = row[column];
    const rate = parseFloatText(cell);
    const least = LEAST[column];
    if (rate !== undefined && !(rate < least)) return rate;
    const place = `Provided ${column} '${cell}' in ShapedDevices.csv at row ${number}`;
    if (rate === undefined) {
      this.refuse(row, `${place} is not a valid number.`, `${column} is "${cell}"`, "Write a number of Mbit/s");
    } else {
      const remedy = `Write a rate of ${least} Mbit/s or more`;
      this.refuse(row, `${place} is < ${least} Mbps.`, `${column} is ${cell} Mbit/s`, remedy);
    }
    return rate;
  }

  /** Refuses a minimum above its maximum. */
  order(row: Row, number: number, column: "downloadMin" | "uploadMin", top: RateColumn): void {
    const text = `Provided ${column} '${row[column]}' in ShapedDevices.csv at row ${number} is greater than ${top}`;
    const reason = `${column} is ${row[column]} Mbit/s, above ${top} of ${row[top]} Mbit/s`;
    this.refuse(row, text, reason, "Lower the minimum or raise the maximum");
  }

  row(row: Row, number: number): CheckedRow {
    if (row.circuitId === "") {
      const text = `No Circuit ID provided in ShapedDevices.csv at row ${number}`;
      this.refuse(row, text, "The row has no circuit id", "Fill the Circuit ID cell");
    }
    this.addresses(row, number, "ipv4");
    this.addresses(row, number, "ipv6");
    const [downloadMin, uploadMin, downloadMax, uploadMax] = RATE_COLUMNS.map((column) =>
      this.rate(row, number, column),
    );
    // A download rate that is no number raises, and hides what is wrong with upload's.
    if (downloadMin !== undefined && downloadMax !== undefined) {
      if (downloadMin > downloadMax) this.order(row, number, "downloadMin", "downloadMax");
      if (uploadMin !== undefined && uploadMax !== undefined && uploadMin > uploadMax) {
        this.order(row, number, "uploadMin", "uploadMax");
      }
    }
    const none = Number.NaN;
    const rates = {
      downloadMin: downloadMin ?? none,
      uploadMin: uploadMin ?? none,
      downloadMax: downloadMax ?? none,
      uploadMax: uploadMax ?? none,
    };
    return { row, rates };
  }
}

/**
 * Checks records and names their cells.
 *
 * @returns the rows, and whether LibreQoS would go on
 * @throws PythonError ValueError for a record of another length; what was said before it stays in the report
 */
export function validateDevices(
  records: readonly CsvRecord[],
  file: string,
  report: Report,
): { readonly rows: readonly CheckedRow[]; readonly valid: boolean } {
  const checker = new DeviceChecker(report);
  const rows = records.map((record, index) => checker.row(unpackRow(record, file), index + 2));
  return { rows, valid: checker.valid };
}
