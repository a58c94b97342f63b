/** From the configuration of MCR (JSON5) to the `[relay]` of a `sluice.toml`. Reads a file, touches nothing. */
import json5 from "json5";
import { type ConfigDocument, parseDocument } from "../../core/config-table.ts";
import { messageOf, type Problem, sluiceError, SluiceError } from "../../core/errors.ts";
import { asTable, renderToml } from "../../core/toml.ts";
import { readText } from "../../linux/text-file.ts";
import { readRelay } from "../../relay/settings.ts";

/** What comes of it. */
export interface RelayImport {
  readonly toml: string;
  /** How many rules. */
  readonly rules: number;
  /** What is not carried over, a sentence each. */
  readonly notes: readonly string[];
  readonly warnings: readonly Problem[];
}

/** Parts of MCR's configuration that have no like here. */
const LEFT_OUT: Readonly<Record<string, string>> = {
  pim: "it speaks PIM to routers, and sluice speaks no routing protocol",
  igmp: "it asks hosts for their groups, and sluice takes them from rules",
  msdp: "it tells others of sources, and sluice speaks no routing protocol",
  control_plane: "it is about the parts above",
};

type Table = Readonly<Record<string, unknown>>;

const listOf = (value: unknown): Table[] => (Array.isArray(value) ? value.map((each) => asTable(each) ?? {}) : []);

/** A rule with the keys that it has here; what is missing is told of by the reader of rules. */
function ruleOf(rule: Table): Record<string, unknown> {
  const { interface: device, group, port } = asTable(rule["input"]) ?? {};
  const known = { name: rule["name"], interface: device, group, port };
  const outputs = listOf(rule["outputs"]).map((output) => {
    const { interface: to, group: copies, port: at, ttl } = output;
    return present({ interface: to, group: copies, port: at, ttl });
  });
  return present({ ...known, outputs });
}

const present = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

/** ESP has no ports: MCR's rules for it take whole packets of another protocol. */
const isUdp = (rule: Table): boolean =>
  [undefined, null, "udp"].includes(asTable(rule["input"])?.["protocol"] as undefined);

function parse(text: string, file: string): Table {
  let value: unknown;
  try {
    value = json5.parse(text);
  } catch (error) {
    const { lineNumber, columnNumber } = error as { readonly lineNumber?: number; readonly columnNumber?: number };
    const where = { file, ...(lineNumber !== undefined && { line: lineNumber, column: columnNumber ?? 1 }) };
    throw sluiceError("RELAY_IMPORT", { reason: messageOf(error).replace(/^JSON5: /, "") }, { where });
  }
  const table = asTable(value);
  if (!table) throw sluiceError("RELAY_IMPORT", { reason: "it is no object" }, { where: { file } });
  return table;
}

/**
 * Converts a text. Pure.
 *
 * @throws SluiceError RELAY_IMPORT, or with everything that rules of it cannot be here
 */
export function importMcr(text: string, file: string): RelayImport {
  const config = parse(text, file);
  const all = listOf(config["rules"]);
  const rules = all.filter((rule) => isUdp(rule)).map((rule) => ruleOf(rule));
  const notes = Object.entries(LEFT_OUT)
    .filter(([name]) => config[name] !== undefined && config[name] !== null)
    .map(([name, why]) => `${name} is left out: ${why}`);
  const others = all.length - rules.length;
  if (others > 0) notes.push(`${others} of its rules are left out: they are not about UDP`);
  const settings = present({ ttl: config["multicast_ttl"], pinning: asTable(config["pinning"]) });
  const toml = renderToml({ relay: { ...settings, ...(rules.length > 0 && { rules }) } });
  const document = parseDocument(toml, file) as ConfigDocument;
  // Lines are those of another file: paths say which rule it is.
  const { problems } = readRelay({ ...document, at: (path) => ({ file, path }) });
  if (problems.some(({ severity }) => severity === "error")) throw new SluiceError(problems);
  return { toml, rules: rules.length, notes, warnings: problems };
}

/** The same of a file. @throws SluiceError */
export function importFile(path: string): RelayImport {
  const read = readText(path, "FILE_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  return importMcr(read.text, path);
}
