/**
 * The state that LibreQoS's lines lead to, typed, so that the same fetch, plan and apply can reach it. Leaf qdiscs have
 * handle 0: LibreQoS leaves their numbers to the kernel.
 */
import { type Problem, problem } from "../../core/errors.ts";
import { parsePrefix } from "../../core/prefix.ts";
import type { ClassAt } from "../../core/tc/class.ts";
import { handle } from "../../core/tc/handle.ts";
import type { QdiscAt } from "../../core/tc/qdisc.ts";
import { both } from "../../core/both.ts";
import type { ClassifierConfig, Desired, DesiredDevice, HostEntry, HostTable, UnknownTarget } from "../model.ts";
import type { LibreqosBuilt } from "./build.ts";
import type { PlacedCircuit, PlacedNode } from "./ids.ts";
import { LARGEST_MINOR, type LibreqosCommand, objectOf } from "./kernel.ts";
import { layoutQueues, type LibreqosLink } from "./settings.ts";

/** The state, and what of LibreQoS's wishes it cannot hold. */
export interface LibreqosDesired {
  /** Absent when a problem is an error. */
  readonly desired?: Desired;
  readonly problems: readonly Problem[];
}

/** Unknown hosts go the kernel's way: whichever queue it takes, and that queue's default class. */
const UNKNOWN: UnknownTarget = { firstQueue: 0, queues: 1, classid: handle(0) };

function classifierOf(link: LibreqosLink, device: string): ClassifierConfig {
  const unknown = both(() => UNKNOWN);
  if (!link.onAStick)
    return { side: device === link.lan ? "download" : "upload", lanVlan: 0, internetVlan: 0, unknown };
  return { side: "vlan", lanVlan: link.vlans?.lan ?? 0, internetVlan: link.vlans?.internet ?? 0, unknown };
}

function deviceOf(name: string, commands: readonly LibreqosCommand[], link: LibreqosLink): DesiredDevice {
  const qdiscs: QdiscAt[] = [];
  const classes: ClassAt[] = [];
  for (const command of commands) {
    const object = command.dev === name && command.fate === "stays" ? objectOf(command) : undefined;
    if (object?.kind === "qdisc") qdiscs.push(object.at);
    else if (object) classes.push(object.at);
  }
  return { name, qdiscs, classes, classifier: classifierOf(link, name) };
}

/** Calls for every circuit, in the order of LibreQoS's mappings. */
function visit(nodes: readonly PlacedNode[], look: (placed: PlacedCircuit) => void): void {
  for (const { circuits, children } of nodes) {
    circuits.forEach(look);
    if (children) visit(children, look);
  }
}

/** The host table. Of an address that several circuits have, the last one gets it, as with LibreQoS. */
function hostsOf({ placement, settings }: LibreqosBuilt, problems: Problem[]): HostTable {
  const { stickOffset } = layoutQueues(settings);
  const hosts = new Map<string, HostEntry>();
  visit(placement.nodes, ({ circuit, queue, minor }) => {
    const target = both((d) => {
      const number = queue + (d === "upload" ? stickOffset : 0);
      return { classid: handle(number, minor), queue: number };
    });
    for (const address of circuit.devices.flatMap(({ ipv4s, ipv6s }) => [...ipv4s, ...ipv6s])) {
      const prefix = parsePrefix(address);
      if (typeof prefix === "string") {
        problems.push(problem("LIBREQOS_ADDRESS", { address, circuit: circuit.id }, circuit.where));
      } else hosts.set(prefix.key, { prefix, target });
    }
  });
  return hosts;
}

/** What is lost of the lines: one problem per reason. */
function lossesOf(commands: readonly LibreqosCommand[]): Problem[] {
  const lost = commands.filter(({ fate }) => fate === "lost");
  const isOverflow = (command: LibreqosCommand): boolean => command.kind === "class" && command.minor > LARGEST_MINOR;
  const overflow = lost.filter((command) => isOverflow(command));
  const others = lost.filter((command) => !isOverflow(command) && !(command.kind === "qdisc" && overflow.length > 0));
  const groups = [...Map.groupBy(others, ({ kind, reason }) => `${kind} ${reason}`).values()];
  return [
    ...(overflow.length > 0 ? [problem("LIBREQOS_ID_OVERFLOW", { count: overflow.length })] : []),
    ...groups.map((group) => {
      const { line, reason } = group[0]!;
      return problem("LIBREQOS_LINES_LOST", { count: group.length, line, reason: reason! });
    }),
  ];
}

/** Makes the state to reach. Errors keep it from being made; warnings say what LibreQoS would lose without a word. */
export function toDesired(built: LibreqosBuilt): LibreqosDesired {
  const { commands, settings } = built;
  const { link } = settings;
  const problems = lossesOf(commands);
  if (link.onAStick && !link.vlans) {
    const reason = "it is not set, and directions on one interface are told apart by VLAN";
    problems.push(problem("LIBREQOS_CONF", { path: "single_interface.internet_vlan", reason }));
  }
  if (problems.some(({ severity }) => severity === "error")) return { problems };
  const hosts = hostsOf(built, problems);
  const names = [...new Set([link.lan, link.internet])];
  return { desired: { devices: names.map((name) => deviceOf(name, commands, link)), hosts }, problems };
}
