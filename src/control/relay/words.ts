/**
 * Rules as the command line says them: `239.1.1.1:5000@eth0` is what comes in, and `239.2.2.2:6000@eth1,ttl=8,dscp=34` or
 * just `eth1` where copies go. Pure; whether the values are right is for the reader of rules to say.
 */
import { isIP } from "node:net";
import type { NewRuleJson } from "../../api/schemas/relay.ts";
import { type Problem, SluiceError, sluiceError } from "../../core/errors.ts";
import { addressBytes } from "../../core/prefix.ts";
import { parseRate } from "../../core/units.ts";

/** An address with a port, where it has one: `239.1.1.1`, `239.1.1.1:5000`, `[ff3e::1]:5000`, `ff3e::1`. */
const ENDPOINT = /^(?:\[(?<bracketed>[^\]]+)\]|(?<bare>[^:]*|[^:]*:[^:]*:.*?))(?::(?<port>\w+))?$/;

const LARGEST_PORT = 65_535;

const usage = (reason: string, command = "sluice relay rule add"): Error => sluiceError("USAGE", { reason, command });

function parsePort(word: string, text: string): number {
  if (word === "any") return 0;
  if (!/^\d{1,5}$/.test(word)) throw usage(`The port in "${text}" is "${word}", wanted a number up to 65535 or any`);
  return Number(word);
}

/** Splits `239.1.1.1:5000@eth0`. */
function parsePlace(text: string): { readonly group?: string; readonly port?: number; readonly device: string } {
  const at = text.lastIndexOf("@");
  if (at < 0) return { device: text };
  const [endpoint, device] = [text.slice(0, at), text.slice(at + 1)];
  // An IPv6 address without brackets has no port.
  const isBare = (endpoint.match(/:/g) ?? []).length > 1 && !endpoint.startsWith("[");
  const { bracketed, bare, port } = (isBare ? undefined : ENDPOINT.exec(endpoint)?.groups) ?? { bare: endpoint };
  const group = bracketed ?? bare ?? "";
  if (group === "" || device === "")
    throw usage(`Cannot read "${text}": wanted GROUP:PORT@INTERFACE, such as 239.1.1.1:5000@eth0`);
  return { group, device, ...(port !== undefined && { port: parsePort(port, text) }) };
}

/** What a rule takes. @throws SluiceError USAGE */
function parseInput(text: string): Pick<NewRuleJson, "interface" | "group" | "port"> {
  const { group, port, device } = parsePlace(text);
  if (group === undefined || port === undefined)
    throw usage(
      `Cannot read "${text}": wanted GROUP:PORT@INTERFACE, such as 239.1.1.1:5000@eth0 (the port may be any)`,
    );
  return { interface: device, group, port };
}

/** Where generators send to, and sinks listen. */
export interface TrafficPlace {
  readonly text: string;
  readonly device: string;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** A place to send to, or to listen at: `239.1.1.1:5000@eth0`. @param command who asks @throws SluiceError USAGE */
export function parseTrafficPlace(text: string, command: string): TrafficPlace {
  const { group = "", port = 0, device } = parsePlace(text);
  if (isIP(group) === 0 || port < 1 || port > LARGEST_PORT)
    throw usage(`Cannot read "${text}": wanted ADDRESS:PORT@INTERFACE, such as 239.1.1.1:5000@eth0`, command);
  return { text, device, address: addressBytes(group), port };
}

const OPTIONS = ["ttl", "dscp", "source"] as const;

/** Where copies go. @throws SluiceError USAGE */
function parseOutput(text: string): NewRuleJson["outputs"][number] {
  const [place = "", ...words] = text.split(",");
  const { group, port, device } = parsePlace(place);
  const options = words.map((word): [string, string | number] => {
    const [key = "", value = ""] = word.split("=");
    if (!OPTIONS.some((known) => known === key) || value === "")
      throw usage(`Cannot read "${word}" in "${text}": wanted ttl=N, dscp=N, or source=rewrite|preserve|ADDRESS`);
    if (key === "source") return [key, value];
    if (!/^\d{1,3}$/.test(value)) throw usage(`${key} in "${text}" is "${value}", wanted a number`);
    return [key, Number(value)];
  });
  return {
    interface: device,
    ...(group !== undefined && { group }),
    ...(port !== undefined && { port }),
    ...Object.fromEntries(options),
  };
}

/** A rule as it is said. */
export interface RuleWords {
  readonly input: string;
  readonly outputs: readonly string[];
  /** `20Mbit`. */
  readonly maxRate?: string;
}

function readRate(text: string): number {
  const rate = parseRate(text);
  if (rate === undefined) throw usage(`Cannot use --max-rate "${text}": wanted a rate, such as 20Mbit`);
  return rate;
}

/** The rule that words say. @throws SluiceError USAGE with all of them that cannot be read */
export function parseRuleWords({ input, outputs, maxRate }: RuleWords): NewRuleJson {
  const problems: Problem[] = [];
  const read = <T>(parse: (text: string) => T, text: string): T | undefined => {
    try {
      return parse(text);
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const takes = read(parseInput, input);
  const sends = outputs.flatMap((text) => read(parseOutput, text) ?? []);
  const rate = maxRate === undefined ? undefined : read(readRate, maxRate);
  if (!takes || problems.length > 0) throw new SluiceError(problems);
  return { ...takes, outputs: sends, ...(rate !== undefined && { maxBitsPerSecond: rate }) };
}
