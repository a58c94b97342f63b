/** `ShapedDevices.csv`: one row per device, rows of the same circuit id sharing one service. */
import { type CsvRow, parseCsv } from "../../core/csv.ts";
import { type Code } from "../../core/codes.ts";
import { type Location, type Params, type Problem, problem } from "../../core/errors.ts";
import { type BitsPerSecond, bitsPerSecond } from "../../core/units.ts";
import { type Both, type Circuit, type Device, type Direction, DIRECTIONS, type LeafOverride } from "../model.ts";
import { parseAddresses, parseLeaf, parseMac } from "./cells.ts";
import { type Column, COLUMNS, type Layout, readHeader, STANDARD_HEADER } from "./columns.ts";
import { formatMbps, parseMbps, type RateKind, WANTED_MBPS } from "./mbps.ts";

/** What {@link parseDevices} found. */
export interface DeviceList {
  /** In the order of their first rows; circuits with an error in their rates are there, with a rate of 0. */
  readonly circuits: readonly Circuit[];
  readonly problems: readonly Problem[];
  /** Where a cell of the row that begins at `row` stands, for problems that show only when the files are joined. */
  readonly locate: (row: Location, column: Column) => Location;
}

const RATE_COLUMNS: Readonly<Record<RateKind, Both<Column>>> = {
  maximum: { download: "downloadMax", upload: "uploadMax" },
  minimum: { download: "downloadMin", upload: "uploadMin" },
};
const RATES = (["maximum", "minimum"] as const).flatMap((kind) =>
  DIRECTIONS.map((direction) => ({ kind, direction, column: RATE_COLUMNS[kind][direction] })),
);

/** A circuit whose further rows may still come, with its first row. */
interface Draft {
  readonly circuit: Circuit & { readonly devices: Device[] };
  readonly row: CsvRow;
}

type Rates = Record<RateKind, Record<Direction, BitsPerSecond>>;

const parentOf = (cell: string): string | undefined =>
  cell === "" || cell.toLowerCase() === "none" ? undefined : cell;
const leafText = (leaf: Partial<Both<LeafOverride>>): string => `${leaf.download ?? ""}/${leaf.upload ?? ""}`;

class DeviceReader {
  readonly layout: Layout;
  readonly problems: Problem[] = [];
  readonly drafts = new Map<string, Draft>();
  readonly #deviceLines = new Map<string, number>();
  /** Circuits with an address that was refused; they are not circuits without addresses. */
  readonly #refused = new Set<string>();

  constructor(layout: Layout) {
    this.layout = layout;
  }

  report(code: Code, params: Params, row: CsvRow, column?: Column): void {
    this.problems.push(problem(code, params, this.layout.at(row, column)));
  }

  row(row: CsvRow): void {
    const { layout } = this;
    const { cells } = row;
    // Empty surplus cells are no excuse: a decimal comma (`7,5`) in a row that ends in empty cells looks just so.
    if (cells.length !== layout.width) {
      this.report("DEVICES_ROW_LENGTH", { actual: cells.length, wanted: layout.width }, row);
      return;
    }
    const id = layout.cell(row, "circuitId");
    if (id === "" && layout.has("circuitId")) this.report("DEVICES_CIRCUIT_ID_MISSING", {}, row, "circuitId");
    let draft = this.drafts.get(id);
    if (draft) this.compare(row, draft);
    else {
      draft = { circuit: this.circuit(row, id), row };
      if (id !== "") this.drafts.set(id, draft);
    }
    draft.circuit.devices.push(this.device(row, draft.circuit));
  }

  circuit(row: CsvRow, id: string): Draft["circuit"] {
    const zero = { download: bitsPerSecond(0), upload: bitsPerSecond(0) };
    const rates: Rates = { maximum: { ...zero }, minimum: { ...zero } };
    for (const { kind, direction, column } of RATES)
      rates[kind][direction] = this.rate(row, kind, column) ?? bitsPerSecond(0);
    for (const direction of DIRECTIONS) {
      const { min, max } = { min: rates.minimum[direction], max: rates.maximum[direction] };
      if (max === 0 || min <= max) continue;
      const params = { circuit: id, direction, min: formatMbps(min), max: formatMbps(max) };
      this.report("DEVICES_MIN_ABOVE_MAX", params, row, RATE_COLUMNS.minimum[direction]);
    }
    const parent = parentOf(this.layout.cell(row, "parent"));
    return {
      id,
      name: this.layout.cell(row, "circuitName") || id,
      ...(parent !== undefined && { parent }),
      max: rates.maximum,
      min: rates.minimum,
      leaf: this.leaf(row) ?? {},
      devices: [],
      where: this.layout.at(row),
    };
  }

  /** Checks that a later row of a circuit says nothing else than its first; empty cells say nothing. */
  compare(row: CsvRow, { circuit, row: firstRow }: Draft): void {
    const differs = (column: Column, actual: string, wanted: string): void => {
      const params = { circuit: circuit.id, first: firstRow.line, field: COLUMNS[column].title, actual, wanted };
      this.report("DEVICES_DUPLICATE_CIRCUIT", params, row, column);
    };
    const parent = this.layout.cell(row, "parent");
    if (parent !== "" && parentOf(parent) !== circuit.parent) {
      differs("parent", `"${parent}"`, circuit.parent === undefined ? "none" : `"${circuit.parent}"`);
    }
    for (const { kind, direction, column } of RATES) {
      if (this.layout.cell(row, column) === "") continue;
      const rate = this.rate(row, kind, column);
      const wanted = kind === "maximum" ? circuit.max[direction] : circuit.min[direction];
      const first = this.layout.cell(firstRow, column);
      if (rate === undefined || rate === wanted || (first !== "" && parseMbps(first, kind) === undefined)) continue;
      differs(column, formatMbps(rate), first === "" ? "empty" : formatMbps(wanted));
    }
    const cell = this.layout.cell(row, "sqm");
    if (cell === "") return;
    const leaf = this.leaf(row);
    const first = this.layout.cell(firstRow, "sqm");
    if (leaf && leafText(leaf) !== leafText(circuit.leaf) && typeof parseLeaf(first) !== "string") {
      differs("sqm", `"${cell}"`, first === "" ? "empty" : `"${first}"`);
    }
  }

  device(row: CsvRow, circuit: Circuit): Device {
    const { layout } = this;
    const number = circuit.devices.length;
    const given = layout.cell(row, "deviceId");
    const id = given || (number === 0 ? circuit.id : `${circuit.id}/${number + 1}`);
    const first = this.#deviceLines.get(given);
    if (first !== undefined) this.report("DEVICES_DUPLICATE_DEVICE", { device: given, first }, row, "deviceId");
    else if (given !== "") this.#deviceLines.set(given, row.line);
    return {
      id,
      name: layout.cell(row, "deviceName") || id,
      mac: this.mac(row),
      comment: layout.cell(row, "comment"),
      prefixes: [...this.addresses(row, circuit, "ipv4", 4), ...this.addresses(row, circuit, "ipv6", 6)],
      where: number === 0 ? circuit.where : layout.at(row),
    };
  }

  rate(row: CsvRow, kind: RateKind, column: Column): BitsPerSecond | undefined {
    const cell = this.layout.cell(row, column);
    if (cell === "" && kind === "minimum") return bitsPerSecond(0);
    const rate = parseMbps(cell, kind);
    if (rate === undefined && this.layout.has(column)) {
      const value = cell === "" ? "empty" : `"${cell}"`;
      this.report(
        "DEVICES_RATE_INVALID",
        { field: COLUMNS[column].title, value, wanted: WANTED_MBPS[kind] },
        row,
        column,
      );
    }
    return rate;
  }

  leaf(row: CsvRow): Partial<Both<LeafOverride>> | undefined {
    const value = this.layout.cell(row, "sqm");
    const leaf = parseLeaf(value);
    if (typeof leaf !== "string") return leaf;
    this.report("DEVICES_LEAF_INVALID", { value, reason: leaf }, row, "sqm");
    return undefined;
  }

  mac(row: CsvRow): string {
    const value = this.layout.cell(row, "mac");
    const mac = value === "" ? "" : parseMac(value);
    if (mac === undefined) this.report("DEVICES_MAC_INVALID", { value }, row, "mac");
    return mac ?? value;
  }

  addresses(row: CsvRow, circuit: Circuit, column: "ipv4" | "ipv6", family: 4 | 6): Device["prefixes"] {
    const cell = this.layout.cell(row, column);
    if (cell === "") return [];
    const { prefixes, faults } = parseAddresses(cell, family);
    if (faults.length > 0) this.#refused.add(circuit.id);
    const field = COLUMNS[column].title;
    const example = family === 4 ? "192.0.2.7 or 192.0.2.0/29" : "2001:db8::7 or 2001:db8:7::/56";
    for (const { value, other, reason } of faults) {
      if (other) this.report("DEVICES_ADDRESS_COLUMN", { field, value, family: other }, row, column);
      else this.report("DEVICES_ADDRESS_INVALID", { field, value, reason, example }, row, column);
    }
    return prefixes;
  }

  /** The circuits; to be called after the last row. */
  finish(): Circuit[] {
    const column = this.layout.has("ipv4") ? "ipv4" : "ipv6";
    return [...this.drafts.values()].map(({ circuit, row }) => {
      const empty = circuit.devices.every(({ prefixes }) => prefixes.length === 0);
      if (empty && this.layout.has(column) && !this.#refused.has(circuit.id)) {
        this.report("DEVICES_NO_ADDRESS", { circuit: circuit.id }, row, column);
      }
      return circuit;
    });
  }
}

/**
 * Reads a `ShapedDevices.csv`. Whether parents exist and addresses collide is not looked at here: see `isp.ts`.
 *
 * @param file how the file is called in problems
 */
export function parseDevices(text: string, file: string): DeviceList {
  const { rows, faults } = parseCsv(text);
  const syntax = faults.map(({ reason, line, column }) =>
    problem("DEVICES_SYNTAX", { reason }, { file, line, column }),
  );
  const [first, ...rest] = rows;
  if (!first) {
    const params = { reason: "the file is empty", example: STANDARD_HEADER.join(",") };
    const missing = faults.length > 0 ? [] : [problem("DEVICES_NO_HEADER", params, { file, line: 1, column: 1 })];
    return { circuits: [], problems: [...syntax, ...missing], locate: (row) => row };
  }
  const { layout, present, problems } = readHeader(first, text, file);
  // When the header row itself has broken quoting, the first row that could be read is rightly no header.
  const headerLost = !present && faults.some(({ line }) => line < first.line);
  const reader = new DeviceReader(layout);
  const unreadable = !present && layout.width === 0;
  const data = present ? rest : unreadable ? [] : rows;
  for (const row of data) reader.row(row);
  const circuits = reader.finish();
  if (present && data.length === 0 && faults.length === 0) {
    reader.problems.push(problem("DEVICES_EMPTY", {}, layout.at(first)));
  }
  let byLine: Map<number, CsvRow> | undefined;
  return {
    circuits,
    problems: [...syntax, ...(headerLost ? [] : problems), ...reader.problems],
    locate: (where, column) => {
      byLine ??= new Map(data.map((row) => [row.line, row]));
      const row = byLine.get(where.line!);
      return row ? layout.at(row, column) : where;
    },
  };
}
