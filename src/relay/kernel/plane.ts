/** The kernel plane as a whole: fetch, plan, apply on one machine. */
import { existsSync } from "node:fs";
import { messageOf } from "../../core/errors.ts";
import { execute } from "../../core/executor.ts";
import { logger } from "../../core/log.ts";
import type { Device, TcHost } from "../../core/tc-place.ts";
import { removePins } from "../../linux/bpf/pin.ts";
import { waitForLock } from "../../linux/lock.ts";
import { dumpLinks } from "../../linux/netlink/dump.ts";
import type { LinkRecord } from "../../linux/netlink/link.ts";
import type { RtnlSocket } from "../../linux/netlink/socket.ts";
import { COUNTERS } from "../model.ts";
import { KERNEL_ACTIONS, type KernelAction } from "./actions.ts";
import { KernelExecutor } from "./executor.ts";
import { fetchKernel } from "./fetch.ts";
import { KernelMaps } from "./maps.ts";
import { type ObservedKernel, planProgram, planTable } from "./plan.ts";
import { type Carried, kernelTable, type RuleRequest } from "./table.ts";

const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;

/** Where the kernel plane is. */
export interface KernelPlaneOptions {
  /** Its folder for pins, `/sys/fs/bpf/sluice/relay`. No dots: bpffs keeps names with dots for itself. */
  readonly pins: string;
  /** The file of the lock under which programs are changed; it is taken here, so the caller must not hold it. */
  readonly lock: string;
  /** A socket in the interfaces' network namespace; it stays the caller's. */
  readonly socket: RtnlSocket;
  /** The place on the interfaces' ingress side; it stays the caller's. */
  readonly host: TcHost;
  /** How many counters there are; with another number than before they begin anew, at 0. */
  readonly slots: number;
}

const log = logger("relay");

/** Carries rules out in the kernel. What it made stays when it is disposed, and packets go on. */
export class KernelPlane implements Disposable {
  readonly #options: KernelPlaneOptions;
  #maps: KernelMaps | undefined;
  /** Where an earlier process may have left a program that the maps do not tell of. */
  #lookEverywhere = true;

  constructor(options: KernelPlaneOptions) {
    this.#options = options;
  }

  /**
   * Makes the kernel carry all of these rules that it can, and no others. The same rules again change nothing.
   *
   * @returns for each rule by its id: true, or why it is left to the user plane
   * @throws SluiceError APPLY_ROLLED_BACK when rows cannot be changed; then the rows are as they were
   */
  async apply(requests: readonly RuleRequest[]): Promise<{ readonly carried: ReadonlyMap<string, Carried> }> {
    const { pins } = this.#options;
    // Nothing is made for nobody.
    if (requests.length === 0 && !existsSync(pins)) return { carried: new Map() };
    let maps: KernelMaps;
    try {
      maps = this.#open();
    } catch (error) {
      const reason = messageOf(error);
      return { carried: new Map(requests.map(({ rule }) => [rule.id, reason])) };
    }
    const links = this.#links();
    const refused = new Map<number, string>();
    for (const { rule } of requests) {
      const fault = linkFault(links.get(rule.ifindex));
      if (fault !== undefined) refused.set(rule.ifindex, fault);
    }
    let table = kernelTable(requests, refused);
    let observed = this.#fetch(maps, links, table.inputs.keys());
    if (await this.#putPrograms(maps, links, table.inputs.keys(), observed, refused)) {
      table = kernelTable(requests, refused);
      observed = this.#fetch(maps, links, table.inputs.keys());
    }
    await this.#execute(maps, planTable(table, observed, links));
    this.#lookEverywhere = false;
    return { carried: table.carried };
  }

  /**
   * Puts the program where it is missing. An interface that refuses it keeps no other one from having it.
   *
   * @returns whether anything was tried
   */
  async #putPrograms(
    maps: KernelMaps,
    links: ReadonlyMap<number, LinkRecord>,
    wanted: Iterable<number>,
    observed: ObservedKernel,
    refused: Map<number, string>,
  ): Promise<boolean> {
    let tried = false;
    for (const ifindex of wanted) {
      const device = links.get(ifindex)!;
      const actions = planProgram(device, observed);
      if (actions.length === 0) continue;
      tried = true;
      try {
        await this.#execute(maps, actions);
      } catch (error) {
        refused.set(ifindex, messageOf(error));
        log.warn("cannot put the relay's program on {device}: {reason}", {
          device: device.name,
          reason: messageOf(error),
        });
      }
    }
    return tried;
  }

  /**
   * What was counted, all CPUs together.
   *
   * @param slots how many slots are wanted, from the first one on
   * @returns by slot, in the order of COUNTERS; empty when nothing was ever carried
   */
  counters(slots = this.#options.slots): number[][] {
    if (!this.#maps && !existsSync(this.#options.pins)) return [];
    return this.#open()
      .counters.entries(slots)
      .slice(0, slots)
      .map(([, cpus]) => COUNTERS.map((_, i) => cpus.reduce((sum, cpu) => sum + cpu[i]!, 0)));
  }

  /** Sets the counters of slots to 0, for whoever gets them next. */
  clear(slots: readonly number[]): void {
    if (slots.length === 0 || (!this.#maps && !existsSync(this.#options.pins))) return;
    const { counters } = this.#open();
    const nothing = COUNTERS.map(() => 0);
    const cpus = Array.from({ length: counters.value.size / (8 * COUNTERS.length) }, () => nothing);
    counters.setAll(slots.map((slot) => [slot, cpus]));
  }

  /** Takes everything away: programs, rows, counters. What others put on the interfaces stays. */
  async remove(): Promise<void> {
    const { host, lock, pins } = this.#options;
    this[Symbol.dispose]();
    const there = [...this.#links().values()].filter((link) => host.stateOf(link) !== undefined);
    if (there.length > 0) {
      using _lock = await waitForLock(lock);
      for (const link of there) await host.remove(link);
    }
    removePins(pins);
  }

  [Symbol.dispose](): void {
    this.#maps?.[Symbol.dispose]();
    this.#maps = undefined;
    this.#lookEverywhere = true;
  }

  #open(): KernelMaps {
    this.#maps ??= new KernelMaps(this.#options.pins, this.#options.slots);
    return this.#maps;
  }

  #links(): Map<number, LinkRecord> {
    return new Map(dumpLinks(this.#options.socket).map((link) => [link.ifindex, link]));
  }

  #fetch(maps: KernelMaps, links: ReadonlyMap<number, LinkRecord>, wanted: Iterable<number>): ObservedKernel {
    const noted = this.#lookEverywhere
      ? links.keys()
      : new Set([...wanted, ...maps.inputs.entries().map(([ifindex]) => ifindex)]);
    const devices: Device[] = [...noted].flatMap((ifindex) => links.get(ifindex) ?? []);
    return fetchKernel(maps, this.#options.host, devices);
  }

  async #execute(maps: KernelMaps, actions: readonly KernelAction[]): Promise<void> {
    if (actions.length === 0) return;
    const { pins, host, lock } = this.#options;
    using _lock = actions.some(({ kind }) => kind.startsWith("program.")) ? await waitForLock(lock) : undefined;
    for (const action of actions)
      log.debug("{sign} {action}", { sign: KERNEL_ACTIONS.sign(action), action: KERNEL_ACTIONS.describe(action) });
    const executor = new KernelExecutor(pins, maps, host);
    await execute({ actions, warnings: [] }, KERNEL_ACTIONS, executor, { plainCause: true });
  }
}

/** Why packets cannot be taken from an interface. */
function linkFault(link: LinkRecord | undefined): string | undefined {
  if (!link) return "its interface is not there";
  const framed = link.type === ARPHRD_ETHER || link.type === ARPHRD_LOOPBACK;
  return framed ? undefined : `packets on ${link.name} have no Ethernet header`;
}
