/** The columns of `ShapedDevices.csv`: by which names they go, and which cells of a row hold them. */
import { cellPosition, type CsvRow } from "../../core/csv.ts";
import { type Location, type Problem, problem } from "../../core/errors.ts";
import { nearest } from "../../core/nearest.ts";

/** A column that means something to the shaper. */
export type Column =
  | "circuitId"
  | "circuitName"
  | "deviceId"
  | "deviceName"
  | "parent"
  | "mac"
  | "ipv4"
  | "ipv6"
  | "downloadMin"
  | "uploadMin"
  | "downloadMax"
  | "uploadMax"
  | "comment"
  | "sqm";

/** How a column is called. */
export interface ColumnSpec {
  /** The name it has in files of LibreQoS, and in messages. */
  readonly title: string;
  /** Every accepted name: letters and digits only, lower case. */
  readonly names: readonly string[];
  readonly required?: true;
}

/** Every column, in the order in which LibreQoS writes them. */
export const COLUMNS: Readonly<Record<Column, ColumnSpec>> = {
  circuitId: { title: "Circuit ID", names: ["circuitid"], required: true },
  circuitName: { title: "Circuit Name", names: ["circuitname"] },
  deviceId: { title: "Device ID", names: ["deviceid"] },
  deviceName: { title: "Device Name", names: ["devicename"] },
  parent: { title: "Parent Node", names: ["parentnode", "parent"] },
  mac: { title: "MAC", names: ["mac"] },
  ipv4: { title: "IPv4", names: ["ipv4"] },
  ipv6: { title: "IPv6", names: ["ipv6"] },
  downloadMin: { title: "Download Min Mbps", names: ["downloadminmbps", "downloadmin"] },
  uploadMin: { title: "Upload Min Mbps", names: ["uploadminmbps", "uploadmin"] },
  downloadMax: { title: "Download Max Mbps", names: ["downloadmaxmbps", "downloadmax"], required: true },
  uploadMax: { title: "Upload Max Mbps", names: ["uploadmaxmbps", "uploadmax"], required: true },
  comment: { title: "Comment", names: ["comment"] },
  sqm: { title: "sqm", names: ["sqm"] },
};

/** Columns that LibreQoS knows and that mean nothing here: circuits find their node by its name. */
export const IGNORED_COLUMNS: readonly string[] = ["parentnodeid", "anchornodeid", "anchorid", "id"];

const ENTRIES = Object.entries(COLUMNS) as [Column, ColumnSpec][];
const BY_NAME = new Map(ENTRIES.flatMap(([column, { names }]) => names.map((name) => [name, column] as const)));
/** The header row as LibreQoS writes it. */
export const STANDARD_HEADER = ENTRIES.filter(([column]) => column !== "sqm").map(([, { title }]) => title);

const normalise = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");

/** Where the columns stand in the rows of one file. */
export class Layout {
  readonly file: string;
  readonly text: string;
  /** Cells that every row has. */
  readonly width: number;
  readonly #index: Partial<Record<Column, number>>;

  constructor(file: string, text: string, width: number, index: Partial<Record<Column, number>>) {
    this.file = file;
    this.text = text;
    this.width = width;
    this.#index = index;
  }

  /** Whether the file has this column. */
  has(column: Column): boolean {
    return this.#index[column] !== undefined;
  }

  /** The row's cell; empty when the file has no such column. */
  cell(row: CsvRow, column: Column): string {
    const index = this.#index[column];
    return index === undefined ? "" : (row.cells[index] ?? "");
  }

  /** Where the row's cell stands, or the row when the file has no such column. */
  at(row: CsvRow, column?: Column): Location {
    const index = column && this.#index[column];
    if (!index) return { file: this.file, line: row.line, column: row.column };
    return { file: this.file, ...cellPosition(this.text, row, index) };
  }
}

/** What {@link readHeader} found. */
export interface Header {
  readonly layout: Layout;
  /** False when the first row holds data: rows are then read in the standard order. */
  readonly present: boolean;
  readonly problems: readonly Problem[];
}

function noHeader(row: CsvRow, text: string, file: string): Header {
  const [first = ""] = row.cells;
  const separator = row.cells.length === 1 && /[;\t|]/.exec(first)?.[0];
  const shown = row.cells
    .slice(0, 3)
    .map((cell) => `"${cell}"`)
    .join(", ");
  const reason = separator
    ? `its columns are parted by ${JSON.stringify(separator)}, wanted commas`
    : `its first row holds data (${shown}${row.cells.length > 3 ? ", ..." : ""})`;
  const where = { file, ...cellPosition(text, row, 0) };
  const problems = [problem("DEVICES_NO_HEADER", { reason, example: STANDARD_HEADER.join(",") }, where)];
  const width = row.cells.length;
  const usable = width >= STANDARD_HEADER.length && width <= ENTRIES.length;
  const standard = Object.fromEntries(ENTRIES.slice(0, usable ? width : 0).map(([column], i) => [column, i]));
  return { layout: new Layout(file, text, usable ? width : 0, standard), present: false, problems };
}

/**
 * Reads the first row of a device list as its header. Columns may stand in any order; names count by letters and digits
 * alone. Columns of other names are passed over, with a warning when one looks like a misspelt column that is missing.
 */
export function readHeader(row: CsvRow, text: string, file: string): Header {
  const index: Partial<Record<Column, number>> = {};
  const problems: Problem[] = [];
  const at = (i: number): Location => ({ file, ...cellPosition(text, row, i) });
  const names = row.cells.map((cell) => normalise(cell));
  const known = names.filter((name) => BY_NAME.has(name)).length;
  if (known < 2) return noHeader(row, text, file);
  for (const [i, name] of names.entries()) {
    const column = BY_NAME.get(name);
    if (column === undefined) continue;
    const first = index[column];
    if (first === undefined) index[column] = i;
    else {
      const params = { first: first + 1, second: i + 1, column: COLUMNS[column].title, name: row.cells[i]! };
      problems.push(problem("DEVICES_HEADER_DUPLICATE", params, at(i)));
    }
  }
  const missing = ENTRIES.filter(([column]) => index[column] === undefined);
  for (const [i, name] of names.entries()) {
    if (BY_NAME.has(name) || IGNORED_COLUMNS.includes(name)) continue;
    const wanted = nearest(
      row.cells[i]!,
      missing.map(([, { title }]) => title),
    );
    if (wanted !== undefined) problems.push(problem("DEVICES_COLUMN_UNKNOWN", { name: row.cells[i]!, wanted }, at(i)));
  }
  const found = row.cells.map((cell) => `"${cell}"`).join(", ");
  const lacking = missing.filter(([, spec]) => spec.required).map(([, { title }]) => title);
  if (index.ipv4 === undefined && index.ipv6 === undefined) lacking.push("IPv4 or IPv6");
  for (const column of lacking) problems.push(problem("DEVICES_HEADER_MISSING", { column, found }, at(0)));
  return { layout: new Layout(file, text, row.cells.length, index), present: true, problems };
}
