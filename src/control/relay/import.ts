/** From the configuration of MCR (JSON5) to the `[relay]` of a `sluice.toml`. Reads a file, touches nothing. */
import json5 from "json5";
import { type ConfigDocument, parseDocument } from "../../core/config-table.ts";
import { shown } from "../../core/config-values.ts";
import { messageOf, type Problem, problem, sluiceError, SluiceError } from "../../core/errors.ts";
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

/** Parts that are carried over. */
const CARRIED = ["rules", "pinning", "multicast_ttl"];

type Table = Readonly<Record<string, unknown>>;

const present = (values: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== null));

/** Reads what it is told to, and gathers what is not of the kind that it should be. */
class Shapes {
  readonly problems: Problem[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** An object; an empty one in place of anything else, or where nothing is. */
  object(value: unknown, path: string): Table {
    return asTable(value ?? {}) ?? this.#refuse({}, path, "an object", value);
  }

  /** An array of objects; an empty one in place of anything else, or where nothing is. */
  objects(value: unknown, path: string): readonly Table[] {
    if (value === undefined || value === null) return [];
    if (!Array.isArray(value)) return this.#refuse([], path, "an array", value);
    return value.map((each, index) => this.object(each, `${path}[${index}]`));
  }

  #refuse<T>(instead: T, path: string, wanted: string, value: unknown): T {
    const reason = `${path} is ${shown(value)}, wanted ${wanted}`;
    this.problems.push(problem("RELAY_IMPORT", { reason }, { file: this.#file, path }));
    return instead;
  }
}

/** ESP has no ports: MCR's rules for it take whole packets of another protocol. */
const isUdp = (input: Table): boolean => [undefined, null, "udp"].includes(input["protocol"] as undefined);

/** MCR gives a TTL to what goes to groups, and leaves that of the rest to the kernel. */
const isHost = (address: unknown): boolean =>
  typeof address === "string" && /^\d+\./.test(address) && !/^2(2[4-9]|3\d)\./.test(address);

/** An output with the keys that it has here. */
function outputOf({ interface: device, group, port, ttl }: Table): Record<string, unknown> {
  return present({ interface: device, group, port, ...(!isHost(group) && { ttl }) });
}

/** A rule that can be carried over, with where it is. */
interface Carried {
  readonly path: string;
  readonly rule: Record<string, unknown>;
}

/** The rules; what is missing in them is told of by the reader of rules. */
function rulesOf(config: Table, shapes: Shapes): { readonly carried: readonly Carried[]; readonly notes: string[] } {
  const all = shapes.objects(config["rules"], "$.rules").map((rule, index) => {
    const path = `$.rules[${index}]`;
    const input = shapes.object(rule["input"], `${path}.input`);
    return { path, rule, input, outputs: shapes.objects(rule["outputs"], `${path}.outputs`) };
  });
  const udp = all.filter(({ input }) => isUdp(input));
  // MCR takes rules that send nothing; one that leaves its outputs out it does not, and the reader of rules tells of it.
  const sending = udp.filter(({ rule, outputs }) => outputs.length > 0 || (rule["outputs"] ?? undefined) === undefined);
  const others = all.length - udp.length;
  const silent = udp.length - sending.length;
  const timed = sending.filter(({ outputs }) => outputs.some(({ group, ttl }) => isHost(group) && ttl !== undefined));
  const notes = [
    ...(others > 0 ? [`${others} of its rules are left out: they are not about UDP`] : []),
    ...(silent > 0 ? [`${silent} of its rules are left out: they have no outputs, and send nothing`] : []),
    ...timed.map(({ path }) => `The ttl of outputs of ${path} to hosts is left out: MCR does not heed it`),
  ];
  const carried = sending.map(({ path, rule: { name }, input, outputs }) => {
    const { interface: device, group, port } = input;
    const named = { name: name === "" ? undefined : name, interface: device, group, port };
    return {
      path,
      rule: present({ ...named, ...(outputs.length > 0 && { outputs: outputs.map((output) => outputOf(output)) }) }),
    };
  });
  return { carried, notes };
}

/** From the path of a key of the `[relay]` to where it comes from. */
function origin(path: string, carried: readonly Carried[]): string {
  const [, index, output, key] = /^relay\.rules\.(\d+)(?:\.outputs\.(\d+))?(?:\.(\w+))?/.exec(path) ?? [];
  if (index === undefined) return path.replace(/^relay\.ttl$/, "$.multicast_ttl").replace(/^relay\b/, "$");
  const { path: rule } = carried[Number(index)]!;
  if (output !== undefined) return `${rule}.outputs[${output}]${key === undefined ? "" : `.${key}`}`;
  if (key === undefined) return rule;
  return ["interface", "group", "port"].includes(key) ? `${rule}.input.${key}` : `${rule}.${key}`;
}

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
  const shapes = new Shapes(file);
  const { carried, notes } = rulesOf(config, shapes);
  const cores = config["pinning"] ?? undefined;
  const settings = present({
    ttl: config["multicast_ttl"],
    pinning: cores === undefined ? undefined : shapes.object(cores, "$.pinning"),
  });
  if (shapes.problems.length > 0) throw new SluiceError(shapes.problems);
  const rules = carried.map(({ rule }) => rule);
  const toml = renderToml({ relay: { ...settings, ...(rules.length > 0 && { rules }) } });
  const document = parseDocument(toml, file) as ConfigDocument;
  // Lines are those of another text: paths say where it is in this one.
  const { problems } = readRelay({ ...document, at: (path) => ({ file, path: origin(path, carried) }) });
  if (problems.some(({ severity }) => severity === "error")) throw new SluiceError(problems);
  const left = Object.entries(config)
    .filter(([name, value]) => !CARRIED.includes(name) && value !== undefined && value !== null)
    .map(([name]) => `${name} is left out: ${LEFT_OUT[name] ?? "there is nothing like it here"}`);
  return { toml, rules: rules.length, notes: [...left, ...notes], warnings: problems };
}

/** The same of a file. @throws SluiceError */
export function importFile(path: string): RelayImport {
  const read = readText(path, "FILE_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  return importMcr(read.text, path);
}
