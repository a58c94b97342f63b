/** The `[relay]` of `sluice.toml`. Pure. */
import { type ConfigDocument, ConfigTable, type Keys, tableOf } from "../core/config-table.ts";
import { integer, interfaceName, oneOf, type ReadValue, Refusal, shown } from "../core/config-values.ts";
import type { Problem } from "../core/errors.ts";
import { asTable } from "../core/toml.ts";
import type { Gro } from "./gro.ts";
import type { Engine } from "./model.ts";
import { readRule } from "./rules/read.ts";
import { checkRules, type PlacedRule } from "./rules/set.ts";
import { SLOTS } from "./slots.ts";

/** Keys of `[relay]`, each with an example, in the order of docs/configuration.md. */
export const RELAY_KEYS = {
  ttl: "1",
  engine: '"auto"',
  profile: '"throughput"',
  workers: "1",
  ring_mib: "32",
  gro: '"keep"',
  telemetry_seconds: "10",
  pinning: "{ eth0 = [0, 1] }",
  rules: "[]",
} as const satisfies Keys;

/** How rules are carried out. */
export interface RelaySettings {
  /** Of copies to groups, where a rule says nothing. */
  readonly ttl: number;
  readonly engine: Engine;
  readonly profile: "throughput" | "latency";
  /** For each input. */
  readonly workers: number;
  /** Of a worker's ring. */
  readonly ringBytes: number;
  /** Whether inputs are made to join the packets of a stream (GRO), or left as they are. */
  readonly gro: Gro;
  /** How often what was done is logged, as MCR does, s; 0: never. */
  readonly telemetrySeconds: number;
  /** Processors of the workers of an input, by its name. */
  readonly pinning: Readonly<Record<string, readonly number[]>>;
}

/** What the file asks for. */
export interface RelayConfig {
  readonly settings: RelaySettings;
  readonly rules: readonly PlacedRule[];
}

const LARGEST_TTL = 255;
const MOST_WORKERS = 16;
const RING = { least: 1, usual: 32, most: 512 };
const MIB = 2 ** 20;
const LONGEST_TELEMETRY = 86_400;
const LARGEST_CPU = 1023;

const pinning: ReadValue<Readonly<Record<string, readonly number[]>>> = (value) => {
  const isCpu = (cpu: unknown): boolean => Number.isInteger(cpu) && Number(cpu) >= 0 && Number(cpu) <= LARGEST_CPU;
  const entries = Object.entries(asTable(value) ?? {});
  const good = entries.every(
    ([device, cpus]) =>
      !(interfaceName(device) instanceof Refusal) &&
      Array.isArray(cpus) &&
      cpus.length > 0 &&
      cpus.every((cpu) => isCpu(cpu)),
  );
  return asTable(value) && good
    ? (Object.fromEntries(entries) as Record<string, readonly number[]>)
    : new Refusal(`it is ${shown(value)}, wanted numbers of processors by interface, such as { eth0 = [0, 1] }`);
};

const tables: ReadValue<readonly Readonly<Record<string, unknown>>[]> = (value) =>
  Array.isArray(value) && value.every((each) => asTable(each) !== undefined)
    ? (value as Readonly<Record<string, unknown>>[])
    : new Refusal(`it is ${shown(value)}, wanted tables: write [[relay.rules]] before each rule`);

/** Reads it, with every problem in it; without a `[relay]` there is neither. */
export function readRelay(document: ConfigDocument): {
  readonly config?: RelayConfig;
  readonly problems: readonly Problem[];
} {
  const table = tableOf(document, "relay", RELAY_KEYS);
  if (!table) return { problems: [] };
  if (!(table instanceof ConfigTable)) return { problems: [table.problem] };
  const ttl = table.optional("ttl", integer(1, LARGEST_TTL)) ?? 1;
  const engine = table.optional("engine", oneOf("auto", "kernel", "user")) ?? "auto";
  const settings: RelaySettings = {
    ttl,
    engine,
    profile: table.optional("profile", oneOf("throughput", "latency")) ?? "throughput",
    workers: table.optional("workers", integer(1, MOST_WORKERS)) ?? 1,
    ringBytes: MIB * (table.optional("ring_mib", integer(RING.least, RING.most)) ?? RING.usual),
    gro: table.optional("gro", oneOf("keep", "on")) ?? "keep",
    telemetrySeconds: table.optional("telemetry_seconds", integer(1, LONGEST_TELEMETRY)) ?? 0,
    pinning: table.optional("pinning", pinning) ?? {},
  };
  const defaults = { ttl, engine, origin: "static" as const };
  const read = (table.optional("rules", tables) ?? []).map((values, index) => {
    const path = `relay.rules.${index}`;
    return { path, ...readRule(path, values, document.at, defaults) };
  });
  const rules = read.flatMap(({ path, rule }) => (rule ? [{ rule, path, where: document.at(path) }] : []));
  const problems = [...table.problems, ...read.flatMap((each) => each.problems), ...checkRules(rules, SLOTS)];
  return { config: { settings, rules }, problems };
}
