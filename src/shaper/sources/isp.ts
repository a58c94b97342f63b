/** The two files of an ISP, read and joined: every problem in both of them at once, or an {@link Isp} free of errors. */
import { type Problem, problem, sortProblems } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { Circuit, Isp } from "../model.ts";
import { checkAddresses } from "./addresses.ts";
import { type DeviceList, parseDevices } from "./devices.ts";
import { readText } from "../../linux/text-file.ts";
import { type NamedNode, type Network, parseNetwork } from "./network.ts";

/** What {@link readIsp} and {@link joinIsp} found. */
export interface IspResult {
  /** Absent when any problem is an error. */
  readonly isp?: Isp;
  /** By file (network first), line and column; warnings among them. */
  readonly problems: readonly Problem[];
}

/** The files of an ISP, as this process reaches them; problems call them by these names. */
export interface IspFiles {
  readonly network: string;
  readonly devices: string;
}

/** A hint costs a look at every name, so a file that fits another network altogether gets only the first ones. */
const MOST_HINTS = 100;

/** Hangs every circuit on a real node, or on the link. */
function attach(
  { circuits, locate }: DeviceList,
  names: ReadonlyMap<string, NamedNode>,
): { circuits: Circuit[]; problems: Problem[] } {
  const problems: Problem[] = [];
  const hints = new Map<string, string>();
  const rootless = new Map<NamedNode, Circuit[]>();
  const hint = (parent: string): string => {
    let text = hints.get(parent);
    if (text === undefined) hints.set(parent, (text = hints.size < MOST_HINTS ? didYouMean(parent, names.keys()) : ""));
    return text;
  };
  const attached = circuits.map((circuit) => {
    const { parent, ...orphan } = circuit;
    if (parent === undefined) return circuit;
    const named = names.get(parent);
    if (!named) {
      const params = { circuit: circuit.id, parent, hint: hint(parent) };
      problems.push(problem("DEVICES_PARENT_UNKNOWN", params, locate(circuit.where, "parent")));
      return circuit;
    }
    if (!named.virtual) return circuit;
    if (named.attach !== undefined) return { ...orphan, parent: named.attach };
    const others = rootless.get(named);
    if (others) others.push(circuit);
    else rootless.set(named, [circuit]);
    return orphan;
  });
  for (const [named, on] of rootless) {
    const shown = on
      .slice(0, 3)
      .map(({ id }) => `"${id}"`)
      .join(", ");
    const more = on.length > 3 ? ` and ${on.length - 3} more` : "";
    const params = { node: on[0]!.parent!, circuits: `${shown}${more}` };
    problems.push(problem("NETWORK_VIRTUAL_ONLY", params, named.where));
  }
  return { circuits: attached, problems };
}

/**
 * Joins what the two files say: parents are looked up, addresses compared over all circuits. Parents of a network that
 * could not be read to its end are not looked up, as every name might stand in the missing part.
 */
export function joinIsp(network: Network | undefined, devices: DeviceList | undefined, files: IspFiles): IspResult {
  const problems: Problem[] = [...(network?.problems ?? []), ...(devices?.problems ?? [])];
  let circuits = devices?.circuits ?? [];
  if (devices) {
    const { locate } = devices;
    problems.push(...checkAddresses(circuits, ({ where }, family) => locate(where, family === 4 ? "ipv4" : "ipv6")));
  }
  if (devices && network?.names) {
    const joined = attach(devices, network.names);
    if (network.names.size > 0 && circuits.length > 0 && circuits.every(({ parent }) => parent === undefined)) {
      problems.push(problem("DEVICES_NO_PARENTS", {}, { file: files.devices }));
    }
    circuits = joined.circuits;
    problems.push(...joined.problems);
  }
  const sorted = sortProblems(problems, [files.network, files.devices]);
  const usable = network && devices && !sorted.some(({ severity }) => severity === "error");
  return { ...(usable && { isp: { nodes: network.nodes, circuits } }), problems: sorted };
}

/** A file of the ISP: what is in it, or why it could not be read. */
export type ReadFile = { readonly text: string } | { readonly problem: Problem };

/** Checks what the files of an ISP hold. */
export function parseIsp(network: ReadFile, devices: ReadFile, files: IspFiles): IspResult {
  const { problems, ...rest } = joinIsp(
    "text" in network ? parseNetwork(network.text, files.network) : undefined,
    "text" in devices ? parseDevices(devices.text, files.devices) : undefined,
    files,
  );
  const unread = [network, devices].flatMap((file) => ("problem" in file ? [file.problem] : []));
  return { ...rest, problems: sortProblems([...unread, ...problems], [files.network, files.devices]) };
}

/** Reads and checks the files of an ISP. Never throws for what is in them, or for files that are not there. */
export const readIsp = (files: IspFiles): IspResult =>
  parseIsp(readText(files.network, "FILE_UNREADABLE"), readText(files.devices, "FILE_UNREADABLE"), files);
