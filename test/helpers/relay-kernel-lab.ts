/**
 * A router with an input (`in0`) and outputs (`o1`, `o2`, ...), and a host at the other ends of them (`src0`, `s1`, `s2`, ...);
 * the relay's kernel plane, on a dispatcher and a bpffs of its own. Everything is gone when it is disposed.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ip } from "../../demo/lab.ts";
import { systemClock } from "../../src/core/clock.ts";
import { addressBytes } from "../../src/core/prefix.ts";
import type { TcHost } from "../../src/core/tc-place.ts";
import { Dispatcher } from "../../src/dispatcher/dispatcher.ts";
import type { EngineName } from "../../src/dispatcher/model.ts";
import { openTcHost } from "../../src/dispatcher/tc-host.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import type { LinkRecord } from "../../src/linux/netlink/link.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { type Paths, pathsBelow } from "../../src/linux/paths.ts";
import { KernelPlane } from "../../src/relay/kernel/plane.ts";
import type { Carried } from "../../src/relay/kernel/table.ts";
import { COUNTERS, type PlaneOutput, type PlaneRule } from "../../src/relay/model.ts";
import { groupMac } from "../../src/relay/resolve.ts";
import { TestBpffs } from "./bpffs.ts";
import { Capture, PROTOCOL } from "./capture.ts";
import { eventually } from "./eventually.ts";
import { readUdp, type SeenUdp } from "./datagram-frame.ts";

/** Counters of the lab's plane. */
export const SLOTS = 512;
/** An output's counters begin here, its rule's are below. */
const FIRST_OUTPUT_SLOT = 100;

/** Longest wait for packets on a busy machine, ms. */
const PATIENCE = 10_000;

/** How the lab shall differ from the usual. */
export interface RelayLabOptions {
  /** Default 3. */
  readonly outputs?: number;
  /** Of all interfaces; default 1500. */
  readonly mtu?: number;
  readonly engine?: EngineName;
}

const macBytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(":", ""), "hex");

/** The lab. */
export class RelayKernelLab implements Disposable {
  readonly #owned = new DisposableStack();
  readonly #captures = new Map<string, Capture>();
  /** What came and nobody has asked for. */
  readonly #kept = new Map<string, SeenUdp[]>();
  readonly #senders = new Map<string, PacketSocket>();
  readonly router: Netns;
  readonly host: Netns;
  readonly socket: RtnlSocket;
  readonly paths: Paths;
  readonly place: TcHost;
  readonly dispatcher: Dispatcher;
  #plane: KernelPlane;
  #nextSlot = FIRST_OUTPUT_SLOT;

  constructor({ outputs = 3, mtu = 1500, engine }: RelayLabOptions = {}) {
    const own = <T extends Disposable>(value: T): T => this.#owned.use(value);
    const bpffs = own(new TestBpffs());
    this.router = own(Netns.create());
    this.host = own(Netns.create());
    this.socket = own(RtnlSocket.open(this.router));
    for (const ns of [this.router, this.host]) {
      for (const which of ["all", "default"]) {
        // No multicast reports and router solicitations among the packets that are counted; the program asks no stack.
        this.sysctl(`ipv6/conf/${which}/disable_ipv6`, 1, ns);
        // What a host at several ends of a router gets comes by interfaces that no route to its source leads by.
        this.sysctl(`ipv4/conf/${which}/rp_filter`, ns === this.router ? 1 : 0, ns);
      }
    }
    const pairs = [["in0", "src0"], ...Array.from({ length: outputs }, (_, i) => [`o${i + 1}`, `s${i + 1}`])];
    ip(
      this.router,
      pairs.flatMap(([near, far], i) => [
        `link add ${near} mtu ${mtu} type veth peer name ${far} mtu ${mtu} netns ${this.host.path}`,
        `addr add 10.0.${i}.1/24 dev ${near}`,
        `link set ${near} up`,
      ]),
    );
    ip(
      this.host,
      pairs.flatMap(([, far], i) => [`addr add 10.0.${i}.2/24 dev ${far}`, `link set ${far} up`]),
    );
    const root = mkdtempSync(join(tmpdir(), "sluice-relay-"));
    this.#owned.defer(() => rmSync(root, { recursive: true }));
    this.paths = { ...pathsBelow(root), pins: bpffs.path };
    const at = { paths: this.paths, clock: systemClock, ...(engine && { engine }) };
    this.place = own(openTcHost({ ...at, side: "ingress", owner: "sluice-relay", netns: this.router.path }));
    this.dispatcher = own(new Dispatcher(at));
    this.#plane = this.openPlane();
  }

  /** A plane as another process would open it; the caller's to dispose. */
  openPlane(): KernelPlane {
    const { paths, socket, place } = this;
    return new KernelPlane({ pins: `${paths.pins}/relay`, lock: paths.lock, socket, host: place, slots: SLOTS });
  }

  /** The plane under test. */
  get plane(): KernelPlane {
    return this.#plane;
  }

  /** Ends the plane and begins another, which knows only what was kept. */
  restart(): void {
    this.#plane[Symbol.dispose]();
    this.#plane = this.openPlane();
  }

  /** Applies rules that are all carried, or are left for the reasons that are returned. */
  async apply(...rules: readonly PlaneRule[]): Promise<Record<string, Carried>> {
    const { carried } = await this.#plane.apply(rules.map((rule) => ({ rule, engine: "auto" })));
    return Object.fromEntries(carried);
  }

  /** The same, when the kernel shall carry all of them. */
  async carry(...rules: readonly PlaneRule[]): Promise<void> {
    assert.deepEqual(await this.apply(...rules), Object.fromEntries(rules.map(({ id }) => [id, true])));
  }

  /** Writes below /proc/sys/net, if the kernel has it. */
  sysctl(name: string, value: number, ns = this.router): void {
    ns.run(() => {
      const file = `/proc/sys/net/${name}`;
      if (existsSync(file)) writeFileSync(file, String(value));
    });
  }

  /** Switches offloads of an interface, `tx off`. */
  ethtool(ns: Netns, device: string, ...features: string[]): void {
    ns.run(() => execFileSync("ethtool", ["-K", device, ...features], { stdio: "ignore" }));
  }

  /** An interface of the router. */
  link(name: string): LinkRecord {
    return dumpLinks(this.socket).find((link) => link.name === name) ?? assert.fail(`there is no ${name}`);
  }

  /** The hardware address of one of the host's. */
  farMac(device: string): Uint8Array {
    using socket = RtnlSocket.open(this.host);
    return macBytes(dumpLinks(socket).find(({ name }) => name === device)!.address);
  }

  /** An output with counters of its own: a TTL of 7, sent from the interface's address. */
  output(device: string, group: string, more: Partial<PlaneOutput> = {}): PlaneOutput {
    const { ifindex, mtu, address } = this.link(device);
    const bytes = addressBytes(group);
    const index = Number(device.replaceAll(/\D/g, ""));
    return {
      slot: this.#nextSlot++,
      ifindex,
      device,
      group: bytes,
      port: 6000,
      ttl: 7,
      mtu,
      ownMac: macBytes(address),
      mac: groupMac(bytes),
      source: addressBytes(bytes.length === 4 ? `10.0.${index}.1` : `2001:db8:${index}::1`),
      ...more,
    };
  }

  /** A rule on in0 for port 5000; its number is its slot. */
  rule(number: number, group: string, outputs: readonly PlaneOutput[], more: Partial<PlaneRule> = {}): PlaneRule {
    return this.rules(number, [group], outputs, more)[0]!;
  }

  /** Rules for many groups that share their counters. */
  rules(
    number: number,
    groups: readonly string[],
    outputs: readonly PlaneOutput[],
    more: Partial<PlaneRule> = {},
  ): PlaneRule[] {
    const ifindex = more.ifindex ?? this.link("in0").ifindex;
    const base = { slot: number, ifindex, port: 5000, vlan: 0, class: "normal" as const };
    return groups.map((group, i) => {
      const id = i === 0 ? `rule${number}` : `rule${number}.${i}`;
      return { id, ...base, group: addressBytes(group), cap: {}, outputs, ...more };
    });
  }

  /** Forgets what was received and counted, for another test; the rules stay. */
  reset(): void {
    this.#look();
    for (const kept of this.#kept.values()) kept.length = 0;
    this.#nextSlot = FIRST_OUTPUT_SLOT;
    this.#plane.clear(Array.from({ length: SLOTS }, (_, slot) => slot));
  }

  /** The socket that {@link send} uses. */
  sender(device = "src0"): PacketSocket {
    const sender = this.#senders.get(device) ?? this.#owned.use(PacketSocket.open(device, this.host));
    this.#senders.set(device, sender);
    return sender;
  }

  /** Sends frames from the host. */
  send(frames: readonly Uint8Array[], device = "src0"): void {
    const sender = this.sender(device);
    for (const frame of frames) sender.send(frame);
  }

  /** The host's interface will go: nobody sends by it until it is there again. */
  forget(device: string): void {
    this.#senders.get(device)?.[Symbol.dispose]();
    this.#senders.delete(device);
  }

  /** Listens from now on to what the host gets by an interface. */
  listen(...devices: readonly string[]): void {
    for (const device of devices) {
      if (this.#captures.has(device)) continue;
      this.#captures.set(device, this.#owned.use(new Capture(device, this.host)));
      this.#kept.set(device, []);
    }
  }

  /** Listens to what TC leaves of an interface of the router. */
  listenBehind(device: string, protocol: number = PROTOCOL.IPV4): Capture {
    return this.#owned.use(new Capture(device, this.router, protocol));
  }

  /** Waits until the host got so many datagrams to an address by an interface; fails when it gets more. */
  async received(device: string, to: string, count: number): Promise<SeenUdp[]> {
    const kept = this.#kept.get(device) ?? assert.fail(`nobody listens to ${device}`);
    return await eventually(() => {
      this.#look();
      const seen = kept.filter((datagram) => datagram.to === to);
      assert.equal(seen.length, count, `${device}: datagrams to ${to}`);
      for (const datagram of seen) kept.splice(kept.indexOf(datagram), 1);
      return seen;
    }, PATIENCE);
  }

  /** The same for datagrams to the groups 239/8 by any of these interfaces. */
  async receivedBy(devices: readonly string[], count: number): Promise<(SeenUdp & { readonly device: string })[]> {
    return await eventually(() => {
      this.#look();
      const seen = devices.flatMap((device) => {
        const kept = this.#kept.get(device) ?? assert.fail(`nobody listens to ${device}`);
        return kept.filter(({ to }) => to.startsWith("239.")).map((datagram) => ({ device, ...datagram }));
      });
      assert.equal(seen.length, count, `datagrams to any group by ${devices.join()}`);
      for (const device of devices) this.#kept.set(device, []);
      return seen;
    }, PATIENCE);
  }

  #look(): void {
    for (const [device, capture] of this.#captures)
      for (const frame of capture.take()) {
        const datagram = readUdp(frame);
        if (datagram) this.#kept.get(device)!.push(datagram);
      }
  }

  /** The counters of a slot that are not 0. */
  counted(slot: number): Record<string, number> {
    const row = this.#plane.counters(slot + 1)[slot] ?? [];
    return Object.fromEntries(COUNTERS.map((name, i) => [name, row[i] ?? 0] as const).filter(([, n]) => n !== 0));
  }

  [Symbol.dispose](): void {
    this.#plane[Symbol.dispose]();
    this.#owned.dispose();
  }
}
