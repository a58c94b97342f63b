/**
 * The classifier in the kernel: one program per device at clsact egress, and one table of hosts for all devices of a link.
 *
 * Everything is found again from the kernel alone. Below the folder of pins, which is on a bpffs:
 *
 *     hosts                  the table, shared by the devices
 *     <ifindex>/outcomes     the device's counters, which outlive an exchange of its program
 *     <ifindex>/clsact       a folder that says: the device's clsact qdisc is ours to remove
 */
import { existsSync, mkdirSync, readdirSync, rmdirSync } from "node:fs";
import { sluiceError } from "../core/errors.ts";
import { ensureBpffs, openPin, pin, unpin } from "../linux/bpf/pin.ts";
import { dumpLinks } from "../linux/netlink/dump.ts";
import type { LinkRecord } from "../linux/netlink/link.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import { type Counter, OUTCOMES, type Outcome, sumCounters } from "./classifier-codec.ts";
import { classifierBuildId, ClassifierProgram, outcomesMap, readProgram } from "./classifier-program.ts";
import { type Device, EgressHook } from "./egress-hook.ts";
import { HostMap } from "./host-map.ts";
import type { ClassifierConfig, HostEntry, HostTable } from "./model.ts";
import { CLASSIFIER_PRIORITY } from "./numbers.ts";

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
}

/** What a device has at the classifier's place. */
export interface ClassifierState {
  /** What our program was told; undefined when there is none, or one that is {@link stale}. */
  readonly config?: ClassifierConfig;
  /** Set when our program is there but has to be replaced whatever it was told: of another build, or its pins are lost. */
  readonly stale?: true;
  /** The name of a filter that is not ours. */
  readonly foreignFilter?: string;
  readonly hasClsact: boolean;
}

/** The classifier of one link. Methods throw SluiceError and SystemError. */
export class Classifier implements Disposable {
  readonly #pins: string;
  readonly #socket: RtnlSocket;
  /** The table of the last device that was detached: attaching again in this process, to undo that, finds it full. */
  #kept: HostMap | undefined;

  constructor(options: ClassifierOptions) {
    this.#pins = options.pins;
    this.#socket = options.socket;
  }

  /** Reads what a device has. */
  fetch(device: Device): ClassifierState {
    const hook = new EgressHook(this.#socket, device);
    const { programId, foreign } = hook.read();
    const hasClsact = hook.hasClsact();
    if (foreign !== undefined) return { foreignFilter: foreign, hasClsact };
    if (programId === undefined) return { hasClsact };
    const program = readProgram(programId);
    if (program?.buildId !== classifierBuildId()) return { stale: true, hasClsact };
    // A program whose table or counters are not the pinned ones runs on what nobody can fill or read any more.
    using hosts = HostMap.open(this.#hostsPin);
    using outcomes = this.#outcomes(device.ifindex);
    const pinned = [hosts?.id, outcomes?.info().id];
    if (!pinned.every((id) => id !== undefined && program.mapIds.includes(id))) return { stale: true, hasClsact };
    return { config: program.config, hasClsact };
  }

  /**
   * Attaches the program, or puts it in the place of the one that is there, with no packet unclassified in between.
   *
   * @throws SluiceError FOREIGN_PROGRAM, BPF_LOAD, BPF_PINS, KERNEL_REFUSED; then the device is as it was before
   */
  attach(device: Device, config: ClassifierConfig): void {
    const hook = new EgressHook(this.#socket, device);
    const before = hook.read();
    if (before.foreign !== undefined)
      throw sluiceError("FOREIGN_PROGRAM", {
        device: device.name,
        filter: before.foreign,
        priority: CLASSIFIER_PRIORITY,
      });
    try {
      this.#put(device, config, hook, before.programId !== undefined);
    } catch (error) {
      this.#clear(device, hook);
      this.#sweep();
      throw error;
    }
  }

  #put(device: Device, config: ClassifierConfig, hook: EgressHook, attached: boolean): void {
    using hosts = this.#openHosts();
    // Counters of a device that had this number earlier say nothing of this one.
    using outcomes = attached ? this.#outcomes(device.ifindex) : undefined;
    const bareIp = !WITH_ETHERNET_HEADER.has(this.#links().get(device.ifindex)?.type ?? ARPHRD_ETHER);
    using program = ClassifierProgram.load(config, bareIp, { hosts: hosts.fd, outcomes: outcomes?.fd });
    mkdirSync(this.#folder(device.ifindex), { recursive: true, mode: 0o700 });
    if (!hook.hasClsact()) {
      // The mark first: whoever dies between the two leaves a mark without clsact, not a clsact that stays for good.
      mkdirSync(this.#clsactMark(device.ifindex), { recursive: true });
      hook.addClsact();
    }
    hook.put(program.fd, attached);
    if (outcomes) return;
    unpin(this.#outcomesPin(device.ifindex));
    pin(program.outcomesFd, this.#outcomesPin(device.ifindex));
  }

  /** Takes our program away, with all that came with it. What others put on the device stays. */
  detach(device: Device): void {
    if (this.#links().has(device.ifindex)) {
      const hook = new EgressHook(this.#socket, device);
      if (hook.read().programId !== undefined) hook.remove();
      this.#clear(device, hook);
    }
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
      const { programId } = link ? new EgressHook(this.#socket, link).read() : {};
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

  /** Removes what stands besides the program, if no program is there. */
  #clear(device: Device, hook: EgressHook): void {
    if (hook.read().programId !== undefined) return;
    const ours = existsSync(this.#clsactMark(device.ifindex));
    if (ours && hook.hasClsact()) hook.removeClsactIfEmpty();
    this.#removeFolder(device.ifindex);
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
    for (const folder of [this.#clsactMark(ifindex), this.#folder(ifindex)]) if (existsSync(folder)) rmdirSync(folder);
  }

  /** The pinned table; else the one kept, or an empty one, pinned. */
  #openHosts(): HostMap {
    const pinned = HostMap.open(this.#hostsPin);
    if (pinned) return pinned;
    ensureBpffs(this.#pins);
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
  #clsactMark(ifindex: number): string {
    return `${this.#folder(ifindex)}/clsact`;
  }
}
