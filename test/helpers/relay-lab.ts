/**
 * A sender, a relay and receivers, each in a namespace of its own: `g0` to `r0`, and `o1`, `o2` ... to `s1`, `s2` ... The
 * sender's addresses have no way back from the relay, whose rp_filter is strict: only what is not routed comes through.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { ip } from "../../demo/lab.ts";
import { addressBytes } from "../../src/core/prefix.ts";
import { check } from "../../src/linux/errno.ts";
import { Fd } from "../../src/linux/fd.ts";
import { bind, ifNameToIndex, ioctl, recv, setsockopt, socket } from "../../src/linux/ffi.ts";
import { dumpLinks } from "../../src/linux/netlink/dump.ts";
import type { LinkRecord } from "../../src/linux/netlink/link.ts";
import { RtnlSocket } from "../../src/linux/netlink/socket.ts";
import { Netns } from "../../src/linux/netns.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import {
  knowsAggregates,
  openRing,
  ringLayout,
  type RingMode,
  type RingOptions,
  RxRing,
} from "../../src/linux/packet/ring.ts";
import {
  COUNTERS,
  type Counter,
  type PlaneOutput,
  type PlaneRule,
  REASONS,
  type Reason,
} from "../../src/relay/model.ts";
import { groupMac, isGroup } from "../../src/relay/resolve.ts";
import { outputSocket } from "../../src/relay/output-socket.ts";
import { cellsFor } from "../../src/relay/worker/cells.ts";
import { type OutputSocket, UserPlane } from "../../src/relay/user/plane.ts";
import { readUdp, type SeenUdp } from "./datagram-frame.ts";

const SLOTS = 256;
const MSG_DONTWAIT = 0x40;
const LONGEST = 5000;

/** An output, as a test says it. */
export interface LabOutput {
  /** `o1`. Default. */
  readonly device?: string;
  readonly group: string;
  readonly port?: number;
  readonly ttl?: number;
  readonly dscp?: number;
  /** Keeps the packet's own source. */
  readonly preserve?: boolean;
  /** Its source instead of the device's own address. */
  readonly from?: string;
  readonly singly?: boolean;
  /** Hardware address of a host; made of the group otherwise. */
  readonly mac?: Uint8Array;
}

/** A rule, as a test says it. */
export interface LabRule extends Partial<Pick<PlaneRule, "class" | "cap" | "port" | "vlan">> {
  readonly id?: string;
  readonly group: string;
  readonly source?: string;
  readonly outputs: readonly LabOutput[];
}

/** Payloads that say which they are. @param size bytes, 4 at least */
export const numbered = (count: number, size = 4): Buffer[] =>
  Array.from({ length: count }, (_, index) => {
    const payload = Buffer.alloc(size, index & 0xff);
    payload.writeUInt32BE(index, 0);
    return payload;
  });

/** The bytes of a hardware address. */
export const macBytes = (text: string): Uint8Array => Buffer.from(text.replaceAll(":", ""), "hex");

/** The three namespaces. */
export class RelayLab implements Disposable {
  readonly source = Netns.create();
  readonly relay = Netns.create();
  readonly sink = Netns.create();
  readonly sender: PacketSocket;
  readonly #owned: DisposableStack;

  /** @param options `outputs`: how many interfaces lead out; MTUs of the input's link, and of the outputs' */
  constructor({ outputs = 1, mtu = 1500, outputMtu = 1500, offloads = false } = {}) {
    using owned = new DisposableStack();
    for (const ns of [this.source, this.relay, this.sink]) {
      owned.use(ns);
      ns.run(() => {
        for (const which of ["all", "default"]) {
          writeFileSync(`/proc/sys/net/ipv6/conf/${which}/accept_dad`, "0");
          writeFileSync(`/proc/sys/net/ipv4/conf/${which}/rp_filter`, ns === this.relay ? "1" : "0");
        }
      });
    }
    const each = Array.from({ length: outputs }, (_, i) => i + 1);
    ip(this.relay, [
      `link add r0 mtu ${mtu} type veth peer name g0 mtu ${mtu} netns ${this.source.path}`,
      "addr add 10.0.0.1/24 dev r0",
      ...each.flatMap((n) => [
        `link add o${n} mtu ${outputMtu} type veth peer name s${n} mtu ${outputMtu} netns ${this.sink.path}`,
        `addr add 10.0.${n}.1/24 dev o${n}`,
        `addr add fd00:${n}::1/64 dev o${n} nodad`,
        `link set o${n} up`,
      ]),
      "link set lo up",
      "link set r0 up",
    ]);
    ip(this.source, ["link set lo up", "addr add 172.16.0.2/24 dev g0", "link set g0 up", "route add default dev g0"]);
    ip(this.sink, [
      "link set lo up",
      ...each.flatMap((n) => [
        `addr add 10.0.${n}.2/24 dev s${n}`,
        `addr add fd00:${n}::2/64 dev s${n} nodad`,
        `link set s${n} up`,
      ]),
    ]);
    if (!offloads) {
      this.#plain(this.source, "g0");
      for (const n of each) this.#plain(this.relay, `o${n}`);
    }
    this.sender = owned.use(PacketSocket.open("g0", this.source));
    this.#owned = owned.move();
  }

  /** What is sent leaves as it would by a wire: no aggregates, checksums complete. */
  #plain(ns: Netns, device: string): void {
    const words = ["-K", device, "tx", "off", "tso", "off", "gso", "off", "tx-udp-segmentation", "off"];
    ns.run(() => execFileSync("ethtool", words, { stdio: "ignore" }));
  }

  /** Runs `ip` in the relay. */
  ip(...lines: readonly string[]): void {
    ip(this.relay, lines);
  }

  /** One of the relay's interfaces. */
  link(device: string): LinkRecord {
    using socket = RtnlSocket.open(this.relay);
    const link = dumpLinks(socket).find(({ name }) => name === device);
    assert.ok(link, `the relay has no ${device}`);
    return link;
  }

  /** Adds a tunnel `name` to the relay, and gives the end by which its packets come and go. */
  tunnel(name: string): Fd {
    return this.relay.run(() => {
      using owned = new DisposableStack();
      const fd = owned.use(Fd.open("/dev/net/tun", 0o4002));
      // struct ifreq: name, then flags IFF_TUN | IFF_NO_PI.
      const request = Buffer.alloc(40);
      request.write(name);
      request.writeUInt16LE(0x1001, 16);
      check("TUNSETIFF", ioctl(fd.number, 0x400454ca, request));
      this.ip(`link set ${name} up`);
      owned.move();
      return this.#owned.use(fd);
    });
  }

  /** Frames that the kernel has seen arrive at one of the sink's interfaces, whatever became of them. */
  arrived(device: string): number {
    const table = this.sink.run(() => readFileSync("/proc/thread-self/net/dev", "utf8"));
    const line = table.split("\n").find((text) => text.trim().startsWith(`${device}:`));
    return Number(line!.split(/[:\s]+/).filter((word) => word !== "")[2]);
  }

  /** A plane on `r0`, with nothing but what comes in by these rings. */
  plane(...rings: readonly (Partial<RingOptions> & { readonly mode?: RingMode })[]): LabPlane {
    const wanted = (rings.length > 0 ? rings : [{}]).map((ring): RingOptions => ({
      ifindex: this.link("r0").ifindex,
      family: 4,
      mode: "throughput",
      bytes: 16 * 2 ** 20,
      aggregates: knowsAggregates(),
      ...ring,
    }));
    return new LabPlane(this, wanted);
  }

  /** A socket of a group's member, or of a host when the group is none, on one of the sink's interfaces. */
  receiver(device: string, group: string, port: number): Receiver {
    const receiver = this.sink.run(() => new Receiver(device, addressBytes(group), port));
    return this.#owned.use(receiver);
  }

  /** Whatever arrives at one of the sink's interfaces. */
  capture(device: string): Capture {
    return this.#owned.use(this.sink.run(() => new Capture(device)));
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** A plane, its rings, and the sockets of its rules. */
export class LabPlane implements Disposable {
  readonly rings: readonly RxRing[];
  readonly counters = new Float64Array(cellsFor(SLOTS).length);
  readonly plane: UserPlane;
  readonly #lab: RelayLab;
  readonly #owned: DisposableStack;
  /** Set by tests that are about time, ms. */
  now = 0;
  #slot = 0;
  readonly #rules: number[] = [];

  constructor(lab: RelayLab, rings: readonly RingOptions[]) {
    this.#lab = lab;
    using owned = new DisposableStack();
    const open = (ring: RingOptions): RxRing =>
      new RxRing(
        lab.relay.run(() => openRing(ring)),
        ringLayout(ring),
      );
    this.rings = rings.map((ring) => owned.use(open(ring)));
    const parts = { rings: this.rings, counters: this.counters, slots: SLOTS, clock: () => this.now };
    this.plane = owned.use(new UserPlane(parts));
    this.#owned = owned.move();
  }

  /** Sets a rule and opens its sockets. @returns slots: the rule's, then its outputs' */
  rule(rule: LabRule): readonly number[] {
    const outputs = rule.outputs.map((output) => this.#output(output));
    const plane: PlaneRule = {
      id: rule.id ?? `${rule.group}:${rule.port ?? 5000}`,
      slot: this.#slot++,
      ifindex: this.#lab.link("r0").ifindex,
      group: addressBytes(rule.group),
      port: rule.port ?? 5000,
      vlan: rule.vlan ?? 0,
      class: rule.class ?? "normal",
      cap: rule.cap ?? {},
      outputs,
      ...(rule.source !== undefined && { source: addressBytes(rule.source) }),
    };
    const sockets = outputs.map((output): OutputSocket => {
      const { kind, open } = outputSocket(output);
      return { fd: this.#owned.use(this.#lab.relay.run(open)).number, kind };
    });
    this.plane.setRule(plane, sockets);
    this.#rules.push(plane.slot);
    return [plane.slot, ...outputs.map(({ slot }) => slot)];
  }

  #output({
    device = "o1",
    group,
    port = 6000,
    ttl = 1,
    dscp,
    preserve = false,
    from,
    singly = false,
    mac,
  }: LabOutput): PlaneOutput {
    const bytes = addressBytes(group);
    const n = device.replace(/\D/g, "");
    const own = bytes.length === 4 ? `10.0.${n}.1` : `fd00:${n}::1`;
    const { ifindex, mtu, address } = this.#lab.link(device);
    const hop = mac ?? (isGroup(bytes) ? groupMac(bytes) : undefined);
    return {
      slot: this.#slot++,
      ifindex,
      device,
      group: bytes,
      port,
      ttl,
      mtu,
      singly,
      ...(address !== "" && { ownMac: macBytes(address) }),
      ...(hop && { mac: hop }),
      ...(dscp !== undefined && { dscp }),
      ...(!preserve && { source: addressBytes(from ?? own) }),
    };
  }

  /** Frames that came, whatever became of them. */
  get came(): number {
    const rules = this.#rules.reduce((sum, slot) => sum + this.count(slot, "packets"), 0);
    return REASONS.reduce((sum, reason) => sum + this.passed(reason), rules);
  }

  /** Sends frames, a few at a time: the kernel's own queue between two ends of a link (netdev_max_backlog) is short. */
  pour(frames: readonly Buffer[], atOnce = 50): void {
    const before = this.came;
    for (let from = 0; from < frames.length; from += atOnce) {
      const some = frames.slice(from, from + atOnce);
      for (const frame of some) this.#lab.sender.send(frame);
      this.until(() => this.came >= before + from + some.length, `${from + some.length} frames`);
    }
  }

  /** One of a slot's counters. */
  count(slot: number | undefined, counter: Counter): number {
    return this.counters[slot! * COUNTERS.length + COUNTERS.indexOf(counter)]!;
  }

  /** One of the interface's reasons. */
  passed(reason: Reason): number {
    return this.counters[SLOTS * COUNTERS.length + REASONS.indexOf(reason)]!;
  }

  /** All reasons that are not zero. */
  get reasons(): Partial<Record<Reason, number>> {
    return Object.fromEntries(REASONS.map((name) => [name, this.passed(name)] as const).filter(([, n]) => n > 0));
  }

  /** Turns until something holds. */
  until(holds: () => boolean, what: string): void {
    for (const deadline = performance.now() + LONGEST; !holds();) {
      assert.ok(performance.now() < deadline, `${what}, in vain; ${JSON.stringify(this.reasons)}`);
      this.plane.turn(20, -1);
    }
  }

  [Symbol.dispose](): void {
    this.#owned[Symbol.dispose]();
  }
}

/** Opens a socket and lets `set` do the rest. */
function opened(domain: number, type: number, protocol: number, set: (fd: number) => void): Fd {
  using owned = new DisposableStack();
  const fd = owned.use(new Fd(check("socket", socket(domain, type | 0o2000000, protocol))));
  check("SO_RCVBUFFORCE", setsockopt(fd.number, 1, 33, Int32Array.of(64 * 2 ** 20), 4));
  set(fd.number);
  owned.move();
  return fd;
}

/** Packets that a socket has. */
function* waiting(fd: number): Generator<Buffer> {
  const room = Buffer.alloc(66_000);
  for (;;) {
    const length = recv(fd, room, room.length, MSG_DONTWAIT);
    if (length < 0) return;
    yield Buffer.from(room.subarray(0, length));
  }
}

/** A member of a group. */
export class Receiver implements Disposable {
  readonly #fd: Fd;
  readonly payloads: Buffer[] = [];

  constructor(device: string, group: Uint8Array, port: number) {
    const v4 = group.length === 4;
    const ifindex = ifNameToIndex(device);
    this.#fd = opened(v4 ? 2 : 10, 2, 0, (fd) => {
      const set = (what: string, level: number, name: number, value: Buffer | Int32Array): void =>
        void check(what, setsockopt(fd, level, name, value, value.byteLength));
      set("SO_BINDTODEVICE", 1, 25, Buffer.from(`${device}\0`));
      const address = Buffer.alloc(v4 ? 16 : 28);
      address.writeUInt16LE(v4 ? 2 : 10, 0);
      address.writeUInt16BE(port, 2);
      address.set(group, v4 ? 4 : 8);
      if (!v4) address.writeUInt32LE(ifindex, 24);
      check("bind", bind(fd, address, address.length));
      if (!isGroup(group)) return;
      const scope = Int32Array.of(ifindex);
      const index = Buffer.from(scope.buffer);
      if (v4) set("IP_ADD_MEMBERSHIP", 0, 35, Buffer.concat([group, Buffer.alloc(4), index]));
      else set("IPV6_ADD_MEMBERSHIP", 41, 20, Buffer.concat([group, index]));
    });
  }

  /** All that came until now. */
  receive(): readonly Buffer[] {
    this.payloads.push(...waiting(this.#fd.number));
    return this.payloads;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}

/** Looks at frames on a link. */
export class Capture implements Disposable {
  readonly #fd: Fd;
  readonly frames: SeenUdp[] = [];
  /** Those that are no UDP. */
  readonly others: Buffer[] = [];

  constructor(device: string) {
    const ifindex = ifNameToIndex(device);
    this.#fd = opened(17, 3, 0, (fd) => {
      const address = Buffer.alloc(20);
      address.writeUInt16LE(17, 0);
      address.writeUInt16BE(3, 2);
      address.writeInt32LE(ifindex, 4);
      check("PACKET_IGNORE_OUTGOING", setsockopt(fd, 263, 23, Int32Array.of(1), 4));
      check("bind", bind(fd, address, address.length));
    });
  }

  /** UDP frames that came until now. */
  read(): readonly SeenUdp[] {
    for (const frame of waiting(this.#fd.number)) {
      const seen = readUdp(frame);
      if (seen) this.frames.push(seen);
      else this.others.push(frame);
    }
    return this.frames;
  }

  [Symbol.dispose](): void {
    this.#fd[Symbol.dispose]();
  }
}
