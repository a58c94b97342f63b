/**
 * Lists of reflectors as sqm-autorate has them: CSV with the columns `reflector_ip,ip_version,description`. Pure.
 *
 * What either of its two readers takes is taken: no header, other columns behind these, no description, IPv6, comments. A
 * version that does not fit its address is an error in one of them and unseen in the other: it is an error here.
 */
import { cellPosition, type CsvRow, parseCsv } from "../../core/csv.ts";
import type { Code } from "../../core/codes.ts";
import { type Params, type Problem, problem } from "../../core/errors.ts";
import { contains, formatAddress, parsePrefix, type Prefix } from "../../core/prefix.ts";
import type { Reflector } from "./reflector.ts";

/** What a list holds. */
export interface ReflectorList {
  /** Each once, in the order of their rows. */
  readonly reflectors: readonly Reflector[];
  readonly problems: readonly Problem[];
}

type Column = "reflector_ip" | "ip_version" | "description";
const COLUMNS: readonly Column[] = ["reflector_ip", "ip_version", "description"];

const network = (text: string): Prefix => parsePrefix(text) as Prefix;
/** Where no single host is. */
const NO_HOSTS: readonly (readonly [Prefix, string])[] = [
  [network("0.0.0.0/8"), "it stands for this host"],
  [network("224.0.0.0/4"), "it is a multicast address"],
  [network("240.0.0.0/4"), "it is reserved or broadcast"],
  [network("::/128"), "it stands for any address"],
  [network("ff00::/8"), "it is a multicast address"],
  [network("fe80::/10"), "it is link-local and says nothing of the line"],
];

/** The host that a cell names, or why it names none. */
function hostOf(cell: string): Prefix | string {
  if (cell === "") return "the cell is empty";
  const parsed = parsePrefix(cell);
  if (typeof parsed === "string") return "it is no IPv4 or IPv6 address";
  if (parsed.length !== (parsed.family === 4 ? 32 : 128)) return "it is a network";
  return NO_HOSTS.find(([outer]) => contains(outer, parsed))?.[1] ?? parsed;
}

const isHeader = (row: CsvRow): boolean =>
  COLUMNS.some((name) => row.cells.includes(name)) ||
  (typeof parsePrefix(row.cells[0]!) === "string" && !/^(ip)?v?\d$/i.test(row.cells[1] ?? ""));

class Reader {
  readonly #file: string;
  readonly #text: string;
  readonly problems: Problem[] = [];
  readonly reflectors: Reflector[] = [];
  readonly #lines = new Map<string, number>();
  #places: Readonly<Record<Column, number>> = { reflector_ip: 0, ip_version: 1, description: 2 };

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  #report(code: Code, params: Params, row: CsvRow, column: Column): void {
    const where = { file: this.#file, ...cellPosition(this.#text, row, this.#places[column]) };
    this.problems.push(problem(code, params, where));
  }

  /** Takes the places of the columns by their names; a header that has none of them only says that it is one. */
  header({ cells }: CsvRow): void {
    if (!COLUMNS.some((name) => cells.includes(name))) return;
    const [address, version, description] = COLUMNS.map((name) => cells.indexOf(name)) as [number, number, number];
    this.#places = { reflector_ip: Math.max(0, address), ip_version: version, description };
  }

  row(row: CsvRow): void {
    const cell = (column: Column): string => row.cells[this.#places[column]] ?? "";
    const value = cell("reflector_ip");
    const host = hostOf(value);
    if (typeof host === "string") {
      this.#report("AUTORATE_REFLECTOR_ADDRESS", { value, reason: host }, row, "reflector_ip");
      return;
    }
    const { family } = host;
    const address = formatAddress(family, host.address);
    const version = cell("ip_version");
    if (version !== "" && !new RegExp(`^(ip)?v?${family}$`, "i").test(version)) {
      this.#report("AUTORATE_REFLECTOR_VERSION", { version, address, family }, row, "ip_version");
      return;
    }
    const line = this.#lines.get(address);
    if (line !== undefined) {
      this.#report("AUTORATE_REFLECTOR_DUPLICATE", { address, first: line }, row, "reflector_ip");
      return;
    }
    this.#lines.set(address, row.line);
    this.reflectors.push({ address, family, description: cell("description") });
  }
}

/** Reads a list. Never throws; what is at fault is left out and told of, with its line. */
export function parseReflectors(text: string, file: string): ReflectorList {
  const { rows, faults } = parseCsv(text);
  const reader = new Reader(file, text);
  for (const { reason, line, column } of faults)
    reader.problems.push(problem("AUTORATE_REFLECTORS_SYNTAX", { reason }, { file, line, column }));
  for (const [index, row] of rows.entries()) {
    if (index === 0 && isHeader(row)) reader.header(row);
    else reader.row(row);
  }
  if (reader.reflectors.length === 0) reader.problems.push(problem("AUTORATE_REFLECTORS_EMPTY", {}, { file }));
  return { reflectors: reader.reflectors, problems: reader.problems };
}
