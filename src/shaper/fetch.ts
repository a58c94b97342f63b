/** Reads what the kernel holds, and what the machine offers. Nothing is remembered from one call to the next. */
import { type Problem, problem, SluiceError } from "../core/errors.ts";
import { minor } from "../core/tc/handle.ts";
import type { QdiscAt, SeenQdisc } from "../core/tc/qdisc.ts";
import { probeQdisc } from "../linux/features.ts";
import { availableMemory } from "../linux/memory.ts";
import { dumpClasses, dumpLinks, dumpQdiscs } from "../linux/netlink/dump.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import type { ClassRecord } from "../linux/netlink/tc/class.ts";
import type { QdiscRecord } from "../linux/netlink/tc/qdisc.ts";
import type { Sysfs } from "../linux/sysfs.ts";
import { readXps } from "../linux/xps.ts";
import type { Classifier } from "./classifier.ts";
import type { Facts, LeafKind, Link, Observed, ObservedDevice } from "./model.ts";

/** The devices of a link, with the configuration's name for each. */
function deviceNames(link: Link): { readonly name: string; readonly field: string }[] {
  if (link.kind === "stick") return [{ name: link.interface, field: "interface" }];
  return [
    { name: link.lan, field: "lan" },
    { name: link.internet, field: "internet" },
  ];
}

/** Finds the link's devices. @throws SluiceError INTERFACE_MISSING for each that is not there */
export function findDevices(socket: RtnlSocket, link: Link): LinkRecord[] {
  const records = dumpLinks(socket);
  const problems: Problem[] = [];
  const found = deviceNames(link).flatMap(({ name, field }) => {
    const record = records.find((candidate) => candidate.name === name);
    if (!record) problems.push(problem("INTERFACE_MISSING", { device: name, field }));
    return record ?? [];
  });
  if (problems.length > 0) throw new SluiceError(problems);
  return found;
}

const LEAF_KINDS: readonly LeafKind[] = ["cake", "fq_codel", "bfifo"];

/** What the machine offers for these devices. */
export function readFacts(devices: readonly LinkRecord[]): Facts {
  return {
    devices: new Map(devices.map(({ name, txQueues, mtu }) => [name, { txQueues, mtu }])),
    leafKinds: new Set(LEAF_KINDS.filter((kind) => probeQdisc(kind))),
    memory: availableMemory(),
  };
}

/** The classes of every HTB among these qdiscs: asked for HTB by HTB, which the kernel answers far faster. */
export function readClasses(socket: RtnlSocket, ifindex: number, qdiscs: readonly QdiscAt<SeenQdisc>[]): ClassRecord[] {
  return qdiscs
    .filter((at) => at.qdisc.kind === "htb" && minor(at.handle) === 0)
    .flatMap((at) => dumpClasses(socket, ifindex, at.handle));
}

/**
 * The qdiscs that somebody made, by interface index; those that the kernel gives by itself have no handle. It lists those
 * of all interfaces at every dump, so one dump serves all devices.
 */
export function readQdiscs(socket: RtnlSocket): ReadonlyMap<number, readonly QdiscRecord[]> {
  const made = dumpQdiscs(socket, 0).filter(({ at }) => at.handle !== 0);
  return Map.groupBy(made, ({ ifindex }) => ifindex);
}

function fetchDevice(
  socket: RtnlSocket,
  classifier: Classifier,
  sysfs: Sysfs,
  { name, ifindex }: LinkRecord,
  records: readonly QdiscRecord[] = [],
): ObservedDevice {
  const qdiscs = records.map(({ at }) => at);
  const classes = readClasses(socket, ifindex, qdiscs).map(({ at }) => at);
  const { config, stale } = classifier.fetch({ name, ifindex });
  return {
    name,
    ifindex,
    qdiscs,
    classes,
    steering: readXps(sysfs, name),
    ...(config && { classifier: config }),
    ...(stale && { staleClassifier: stale }),
  };
}

/** Reads the state of these devices and of the host table. */
export function fetchShaper(
  socket: RtnlSocket,
  classifier: Classifier,
  sysfs: Sysfs,
  devices: readonly LinkRecord[],
): Observed {
  const hosts = classifier.hosts();
  const qdiscs = readQdiscs(socket);
  const fetch = (device: LinkRecord) => fetchDevice(socket, classifier, sysfs, device, qdiscs.get(device.ifindex));
  return {
    devices: new Map(devices.map((device) => [device.name, fetch(device)])),
    ...(hosts && { hosts }),
    elsewhere: classifier.elsewhere(devices).map(({ name }) => name),
  };
}
