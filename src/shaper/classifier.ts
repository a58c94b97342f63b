/**
 * The classifier in the kernel: one program per device on its egress side, among the programs of users there, and one
 * table of hosts for all devices of a link. Below the folder of pins, which is on a bpffs:
 *
 *     hosts                  the table, shared by the devices
 *     <ifindex>/outcomes     the device's counters, which outlive an exchange of its program
 */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { dirname } from "node:path";
import type { Device, TcHost } from "../core/tc-place.ts";
import { ensureBpffs, openPin, pin, unpin } from "../linux/bpf/pin.ts";
import { dumpLinks } from "../linux/netlink/dump.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import { type Counter, OUTCOMES, type Outcome, sumCounters } from "./classifier-codec.ts";
import {
  classifierBuildId,
  classifierProgram,
  openOutcomes,
  outcomesMap,
  OUTCOMES_NAME,
  readProgram,
} from "./classifier-program.ts";
import { HostMap, HOSTS_NAME } from "./host-map.ts";
import type { ClassifierConfig, HostEntry, HostTable } from "./model.ts";

const HOSTS_PIN = "hosts";
const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
/** Packets on any other device begin with the IP header. */
const WITH_ETHERNET_HEADER: ReadonlySet<number> = new Set([ARPHRD_ETHER, ARPHRD_LOOPBACK]);

/** Where the classifier is. */
export interface ClassifierOptions {
  /** The link's folder for pins, `/sys/fs/bpf/sluice/shaper`. No dots: bpffs keeps names with dots for itself. */
  readonly pins: string;
  /** A socket in the devices' network namespace; it stays the caller's. */
  readonly socket: RtnlSocket;
  /** The place on the devices' egress side; it stays the caller's. */
  readonly egress: TcHost;
}

/** What a device has at the classifier's place. */
export interface ClassifierState {
  /** What our program was told; undefined when there is none, or one that is {@link stale}. */
  readonly config?: ClassifierConfig;
  /** Set when our program has to be replaced whatever it was told: of another build, or lost, with its pins or its hook. */
  readonly stale?: true;
}

/** The classifier of one link. Methods throw SluiceError and SystemError. */
export class Classifier implements Disposable {
  readonly #pins: string;
  readonly #socket: RtnlSocket;
  readonly #egress: TcHost;
  /** The table of the last device that was detached: attaching again in this process, to undo that, finds it full. */
  #kept: HostMap | undefined;

  constructor(options: ClassifierOptions) {
    this.#pins = options.pins;
    this.#socket = options.socket;
    this.#egress = options.egress;
  }

  /** Reads what a device has. */
  fetch(device: Device): ClassifierState {
    const found = this.#egress.stateOf(device);
    if (!found) return {};
    const program = found.programId === undefined ? undefined : readProgram(found.programId);
    if (program?.buildId !== classifierBuildId()) return { stale: true };
    // A program whose table or counters are not the pinned ones runs on what nobody can fill or read any more.
    using hosts = HostMap.open(this.#hostsPin);
    using outcomes = this.#outcomes(device.ifindex);
    const pinned = [hosts?.id, outcomes?.info().id];
    if (!pinned.every((id) => id !== undefined && program.mapIds.includes(id))) return { stale: true };
    return { config: program.config };
  }

  /**
   * Attaches the program, or puts it in the place of the one that is there, with no packet unclassified in between.
   *
   * @throws SluiceError FOREIGN_INGRESS, BPF_LOAD, BPF_PINS, DISPATCHER_FULL; then the device is as it was before
   */
  async attach(device: Device, config: ClassifierConfig): Promise<void> {
    const attached = this.#egress.stateOf(device) !== undefined;
    try {
      await this.#put(device, config, attached);
    } catch (error) {
      if (!attached) this.#removeFolder(device.ifindex);
      this.#sweep();
      throw error;
    }
  }

  async #put(device: Device, config: ClassifierConfig, attached: boolean): Promise<void> {
    using _hosts = this.#openHosts();
    // Counters of a device that had this number earlier say nothing of this one.
    using outcomes = attached ? this.#outcomes(device.ifindex) : undefined;
    const bareIp = !WITH_ETHERNET_HEADER.has(this.#links().get(device.ifindex)?.type ?? ARPHRD_ETHER);
    const path = this.#outcomesPin(device.ifindex);
    const reuse = { [HOSTS_NAME]: this.#hostsPin, ...(outcomes && { [OUTCOMES_NAME]: path }) };
    mkdirSync(this.#folder(device.ifindex), { recursive: true, mode: 0o700 });
    const id = await this.#egress.put(device, { ...classifierProgram(config, bareIp), reuse });
    if (outcomes) return;
    using counters = openOutcomes(id);
    unpin(path);
    if (counters) pin(counters.number, path);
  }

  /** Takes our program away, with all that came with it. What others put on the device stays. */
  async detach(device: Device): Promise<void> {
    await this.#egress.remove(device);
    this.#removeFolder(device.ifindex);
    this.#sweep();
  }

  /** The devices other than these whose packets our program classifies by the pinned table. */
  elsewhere(devices: readonly Device[]): LinkRecord[] {
    const folders = existsSync(this.#pins) ? readdirSync(this.#pins) : [];
    const others = folders.map(Number).filter((ifindex) => !devices.some((device) => device.ifindex === ifindex));
    if (!others.some((ifindex) => ifindex > 0)) return [];
    using hosts = HostMap.open(this.#hostsPin);
    const links = this.#links();
    return others.flatMap((ifindex) => {
      const link = links.get(ifindex);
      const { programId } = (link && this.#egress.stateOf(link)) ?? {};
      const program = programId === undefined ? undefined : readProgram(programId);
      return link && hosts && program?.mapIds.includes(hosts.id) ? link : [];
    });
  }

  /** All rows of the table; undefined when there is none yet. */
  hosts(): HostTable | undefined {
    using hosts = HostMap.open(this.#hostsPin);
    return hosts?.read();
  }

  /** Adds or overwrites rows of the table in use. */
  setHosts(entries: readonly HostEntry[]): void {
    using hosts = this.#openHosts();
    hosts.set(entries);
  }

  /** Removes rows of the table in use. */
  deleteHosts(entries: readonly HostEntry[]): void {
    using hosts = this.#openHosts();
    hosts.delete(entries);
  }

  /** Puts a new table in the place of the one in use, in one step. */
  swapHosts(entries: readonly HostEntry[]): void {
    using hosts = this.#openHosts();
    hosts.swap(entries);
  }

  /** What became of a device's packets since the classifier was attached; undefined when it is not. */
  outcomes(ifindex: number): Readonly<Record<Outcome, Counter>> | undefined {
    using map = this.#outcomes(ifindex);
    if (!map) return undefined;
    const counters = OUTCOMES.map((outcome, row) => [outcome, sumCounters(map.get(row) ?? [])]);
    return Object.fromEntries(counters) as Record<Outcome, Counter>;
  }

  [Symbol.dispose](): void {
    this.#kept?.[Symbol.dispose]();
    this.#kept = undefined;
  }

  /** Removes the pins of devices that are gone, and the table's when no device is left. */
  #sweep(): void {
    if (!existsSync(this.#pins)) return;
    const links = this.#links();
    const folders = readdirSync(this.#pins).filter((name) => name !== HOSTS_PIN);
    const gone = folders.map(Number).filter((ifindex) => !links.has(ifindex));
    for (const ifindex of gone) this.#removeFolder(ifindex);
    if (folders.length > gone.length) return;
    this.#kept?.[Symbol.dispose]();
    this.#kept = HostMap.open(this.#hostsPin);
    unpin(this.#hostsPin);
  }

  #removeFolder(ifindex: number): void {
    unpin(this.#outcomesPin(ifindex));
    const folder = this.#folder(ifindex);
    if (existsSync(folder)) rmdirSync(folder);
  }

  /** The pinned table; else the one kept, or an empty one, pinned. */
  #openHosts(): HostMap {
    const pinned = HostMap.open(this.#hostsPin);
    if (pinned) return pinned;
    // The folder above holds the pins of everything that is sluice's: a bpffs of its own is mounted there, once.
    ensureBpffs(dirname(this.#pins));
    mkdirSync(this.#pins, { recursive: true, mode: 0o700 });
    const kept = this.#kept;
    if (!kept) return HostMap.create(this.#hostsPin);
    this.#kept = undefined;
    kept.pin(this.#hostsPin);
    return kept;
  }

  #outcomes(ifindex: number): ReturnType<typeof outcomesMap> | undefined {
    const fd = openPin(this.#outcomesPin(ifindex));
    return fd && outcomesMap(fd);
  }

  #links(): Map<number, LinkRecord> {
    return new Map(dumpLinks(this.#socket).map((link) => [link.ifindex, link]));
  }

  get #hostsPin(): string {
    return `${this.#pins}/${HOSTS_PIN}`;
  }
  #folder(ifindex: number): string {
    return `${this.#pins}/${ifindex}`;
  }
  #outcomesPin(ifindex: number): string {
    return `${this.#folder(ifindex)}/outcomes`;
  }
}
