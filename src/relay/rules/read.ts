/** Rules as users write them, in `sluice.toml` or in a request: read with everything that is wrong at once. Pure. */
import { ConfigTable, type Keys } from "../../core/config-table.ts";
import { integer, interfaceName, oneOf, type ReadValue, Refusal, shown, textLike } from "../../core/config-values.ts";
import type { Location, Problem } from "../../core/errors.ts";
import { parsePrefix } from "../../core/prefix.ts";
import { parseRate } from "../../core/units.ts";
import type { Engine, Rule, RuleInput, RuleOutput, SourceChoice } from "../model.ts";
import { ruleId } from "./id.ts";

/** Keys of a `[[relay.rules]]`, each with an example, in the order of docs/configuration.md. */
export const RULE_KEYS = {
  interface: '"eth0"',
  group: '"239.1.1.1"',
  port: "5000",
  source: '"10.0.0.7"',
  vlan: "10",
  outputs: '[{ interface = "eth1" }]',
  id: '"video-1"',
  name: '"video"',
  engine: '"auto"',
  class: '"normal"',
  max_rate: '"20Mbit"',
  max_packets: "10000",
} as const satisfies Keys;

/** Keys of an output, the same way. */
export const OUTPUT_KEYS = {
  interface: '"eth1"',
  group: '"239.2.2.2"',
  port: "6000",
  ttl: "1",
  dscp: "34",
  source: '"rewrite"',
} as const satisfies Keys;

/** What holds for a rule that says nothing. */
export interface RuleDefaults {
  /** Of copies to groups. */
  readonly ttl: number;
  readonly engine: Engine;
  readonly origin: Rule["origin"];
}

const LARGEST_PORT = 65_535;
const LARGEST_TTL = 255;
const LARGEST_DSCP = 63;
const LARGEST_VLAN = 4094;
const MOST_PACKETS = 1e9;
/** What the kernel gives to what it sends to a host. */
const TTL_OF_HOSTS = 64;

// Both stand in paths of the API, where dots alone would lead elsewhere.
const NAME = textLike(/^(?!\.{1,2}$)[^\p{C}]{1,64}$/u, "a text of 1 to 64 characters, and not dots alone");

interface Address {
  readonly family: 4 | 6;
  readonly text: string;
  readonly isGroup: boolean;
}

/** Whether an IPv6 address is a group of scope 0 or 1. */
const isOfHost = (address: bigint): boolean => address >> 120n === 0xffn && ((address >> 112n) & 0xfn) <= 1n;

/** Reads the address of a group or a host; not of a network, of nobody, or of everybody. */
function readAddress(value: unknown, wanted: string): Address | Refusal {
  const refusal = new Refusal(`it is ${shown(value)}, wanted ${wanted}`);
  const host = typeof value === "string" && !value.includes("/") ? parsePrefix(value) : "not-an-address";
  if (typeof host === "string") return refusal;
  const { family, address, key } = host;
  if (address === 0n || (family === 4 && address === 0xffff_ffffn)) return refusal;
  // Linux sends nothing to an IPv6 group whose scope is none, or the host.
  const isLocal = family === 4 ? address >> 24n === 127n : address === 1n || isOfHost(address);
  if (isLocal) return new Refusal(`it is ${shown(value)}, which never leaves this host; wanted ${wanted}`);
  const isGroup = family === 4 ? address >> 28n === 0xen : address >> 120n === 0xffn;
  return { family, text: key.slice(0, key.indexOf("/")), isGroup };
}

const destination: ReadValue<Address> = (value) =>
  readAddress(value, "the address of a group or a host, such as 239.1.1.1");

const host: ReadValue<Address> = (value) => {
  const wanted = "the address of a host, such as 10.0.0.7";
  const address = readAddress(value, wanted);
  return address instanceof Refusal || !address.isGroup
    ? address
    : new Refusal(`it is ${shown(value)}, a group; wanted ${wanted}`);
};

const port: ReadValue<number> = (value) => {
  if (value === "any") return 0;
  const number = integer(0, LARGEST_PORT)(value);
  return number instanceof Refusal
    ? new Refusal(`it is ${shown(value)}, wanted a port up to ${LARGEST_PORT}, or "any"`)
    : number;
};

const source: ReadValue<SourceChoice & { readonly family?: 4 | 6 }> = (value) => {
  if (value === "rewrite" || value === "preserve") return { kind: value };
  const address = host(value);
  if (address instanceof Refusal)
    return new Refusal(`it is ${shown(value)}, wanted "rewrite", "preserve", or an address`);
  return { kind: "address", address: address.text, family: address.family };
};

/** In whole bits a second, of which no more than is said shall pass. */
const rate: ReadValue<number> = (value) => {
  const bits = Math.floor((typeof value === "string" && parseRate(value)) || 0);
  return bits > 0 && Number.isSafeInteger(bits)
    ? bits
    : new Refusal(`it is ${shown(value)}, wanted a rate, such as "20Mbit"`);
};

/** A table, or nothing of the kind. */
const asRecord = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date)
    ? (value as Record<string, unknown>)
    : undefined;

type At = (path: string) => Location;

/** What outputs take over; undefined where it cannot be read, which is told already. */
interface InputRead {
  readonly group: Address | undefined;
  readonly port: number | undefined;
}

function readOutput(
  name: string,
  values: Readonly<Record<string, unknown>>,
  at: At,
  input: InputRead,
  { ttl: usual }: RuleDefaults,
): { readonly output?: RuleOutput; readonly problems: readonly Problem[] } {
  const table = new ConfigTable(name, OUTPUT_KEYS, values, at);
  const device = table.required("interface", interfaceName);
  const group = table.has("group") ? table.optional("group", destination) : input.group;
  const to = table.has("port") ? table.optional("port", port) : input.port;
  const ttl = table.optional("ttl", integer(1, LARGEST_TTL)) ?? (group?.isGroup === false ? TTL_OF_HOSTS : usual);
  const dscp = table.optional("dscp", integer(0, LARGEST_DSCP));
  const choice = table.has("source") ? table.optional("source", source) : { kind: "rewrite" as const };
  const family = input.group?.family;
  const other = (its: 4 | 6 | undefined): boolean => its !== undefined && family !== undefined && its !== family;
  if (other(group?.family)) table.refuse("group", `it is IPv${group?.family}, and what comes in is IPv${family}`);
  if (choice && "family" in choice && other(choice.family))
    table.refuse("source", `it is IPv${choice.family}, and what comes in is IPv${family}`);
  const { problems } = table;
  if (problems.length > 0 || device === undefined || !group || to === undefined || !choice) return { problems };
  const chosen: SourceChoice =
    choice.kind === "address" ? { kind: "address", address: choice.address } : { kind: choice.kind };
  return {
    problems,
    output: {
      interface: device,
      group: group.text,
      port: to,
      ttl,
      source: chosen,
      ...(dscp !== undefined && { dscp }),
    },
  };
}

/** The port that copies go to; 0: any that packets come for. */
const portOf = (output: RuleOutput, rule: RuleInput): number => (output.port === 0 ? rule.port : output.port);

/** Whether an output is where the rule takes its packets from: then each copy would be taken again by whoever echoes it. */
const comesBack = (output: RuleOutput, rule: RuleInput): boolean =>
  output.interface === rule.interface &&
  output.group === rule.group &&
  (rule.port === 0 || portOf(output, rule) === rule.port);

/** Where the copies of an output go, for people. */
const goesTo = (output: RuleOutput, rule: RuleInput): string =>
  `${output.group} port ${portOf(output, rule) || "any"} on ${output.interface}`;

/**
 * Reads a rule.
 *
 * @param name of its table, `relay.rules.0`
 * @param at where a key stands
 */
export function readRule(
  name: string,
  values: Readonly<Record<string, unknown>>,
  at: At,
  defaults: RuleDefaults,
): { readonly rule?: Rule; readonly problems: readonly Problem[] } {
  const table = new ConfigTable(name, RULE_KEYS, values, at);
  const device = table.required("interface", interfaceName);
  const group = table.required("group", destination);
  const from = table.required("port", port);
  const only = table.optional("source", host);
  if (only && group && only.family !== group.family)
    table.refuse("source", `it is IPv${only.family}, and the group is IPv${group.family}`);
  const vlan = table.optional("vlan", integer(1, LARGEST_VLAN));
  const said = table.required("outputs", (value) =>
    Array.isArray(value) && value.length > 0 && value.every((each) => asRecord(each))
      ? (value as Readonly<Record<string, unknown>>[])
      : new Refusal(`it is ${shown(value)}, wanted one table for each output, and one at least`),
  );
  const id = table.optional("id", NAME);
  const title = table.optional("name", NAME);
  const engine = table.optional("engine", oneOf("auto", "kernel", "user")) ?? defaults.engine;
  const trafficClass = table.optional("class", oneOf("high", "normal", "low")) ?? "normal";
  const bits = table.optional("max_rate", rate);
  const packets = table.optional("max_packets", integer(1, MOST_PACKETS));
  const read = (said ?? []).map((output, index) =>
    readOutput(`${name}.outputs.${index}`, output, at, { group, port: from }, defaults),
  );
  const outputs = read.flatMap(({ output }) => output ?? []);
  const input = device !== undefined &&
    group &&
    from !== undefined && {
      interface: device,
      group: group.text,
      port: from,
      ...(only && { source: only.text }),
      ...(vlan !== undefined && { vlan }),
    };
  if (input) {
    const back = outputs.findIndex((output) => comesBack(output, input));
    if (back >= 0)
      table.refuse("outputs", `number ${back + 1} sends to ${input.group} on ${input.interface}, where it comes from`);
    const seen = new Set<string>();
    const twice = outputs.map((output) => goesTo(output, input)).find((to) => seen.size === seen.add(to).size);
    if (twice !== undefined) table.refuse("outputs", `two of them send to ${twice}`);
  }
  const problems = [...table.problems, ...read.flatMap((output) => output.problems)];
  if (problems.length > 0 || !input || outputs.length === 0) return { problems };
  return {
    problems,
    rule: {
      id: id ?? ruleId(input),
      ...(title !== undefined && { name: title }),
      input,
      outputs,
      engine,
      class: trafficClass,
      cap: {
        ...(bits !== undefined && { bitsPerSecond: bits }),
        ...(packets !== undefined && { packetsPerSecond: packets }),
      },
      origin: defaults.origin,
    },
  };
}
