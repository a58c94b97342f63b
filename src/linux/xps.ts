/**
 * Transmit packet steering (Documentation/networking/scaling.rst): a map per transmit queue of the CPUs and receive
 * queues whose packets it takes. The kernel asks it before it looks at the queue that a classifier chose, so where
 * packets are steered to an HTB per queue, it has to be empty.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Sysfs } from "./sysfs.ts";

/** The two masks of a transmit queue, as sysfs writes them: hex, groups of 32 bits joined by commas. */
export interface XpsMasks {
  readonly cpus: string;
  readonly rxqs: string;
}

const isEmpty = (mask: string): boolean => !/[1-9a-f]/i.test(mask);

const queueFolder = (sysfs: Sysfs, device: string, queue: number): string =>
  join(sysfs.path, "class/net", device, "queues", `tx-${queue}`);

/** A mask that is not there, or that a single-queue device refuses to show, steers nothing. */
function readMask(path: string): string {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return "0";
  }
}

/** The transmit queues (from 0) of a device that steer anything. */
export function readXps(sysfs: Sysfs, device: string): Map<number, XpsMasks> {
  const folder = join(sysfs.path, "class/net", device, "queues");
  const queues = readdirSync(folder).flatMap((name) => (name.startsWith("tx-") ? [Number(name.slice(3))] : []));
  const found = new Map<number, XpsMasks>();
  for (const queue of queues.toSorted((a, b) => a - b)) {
    const at = queueFolder(sysfs, device, queue);
    const masks = { cpus: readMask(join(at, "xps_cpus")), rxqs: readMask(join(at, "xps_rxqs")) };
    if (!isEmpty(masks.cpus) || !isEmpty(masks.rxqs)) found.set(queue, masks);
  }
  return found;
}

/** Sets both masks of a transmit queue. @throws Error of node:fs when the kernel refuses */
export function writeXps(sysfs: Sysfs, device: string, queue: number, masks: XpsMasks): void {
  const at = queueFolder(sysfs, device, queue);
  for (const [file, mask] of [
    ["xps_cpus", masks.cpus],
    ["xps_rxqs", masks.rxqs],
  ] as const) {
    // Writing what is there already is refused by drivers without receive queue maps.
    if (readMask(join(at, file)) !== mask && !(isEmpty(mask) && isEmpty(readMask(join(at, file))))) {
      writeFileSync(join(at, file), mask);
    }
  }
}
