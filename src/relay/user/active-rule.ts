/** A rule as the user plane works with it: with its sockets, and the packets that wait to be sent for it. */
import { inetAddress, linkAddress } from "../../linux/udp/sockaddr.ts";
import { COUNTERS, type PlaneOutput, type PlaneRule, type TrafficClass } from "../model.ts";
import type { SocketKind } from "../worker/message-codec.ts";
import { Cap } from "./cap.ts";
import type { Trace } from "./trace.ts";

/** A socket for the copies of an output, and of others that leave the same way. */
export interface OutputSocket {
  /** -1: none could be opened, and every copy is one that the kernel refused. */
  readonly fd: number;
  /** `udp` makes new datagrams, `raw` sends the packet itself on. */
  readonly kind: SocketKind;
}

/** An output that is sent by. */
export interface Output {
  readonly target: PlaneOutput;
  readonly fd: number;
  readonly raw: boolean;
  /** Where its counters begin. */
  readonly counters: number;
  /** Where messages go: a struct sockaddr. */
  readonly name: Uint8Array;
  /** Whether the port of it is the packet's. */
  readonly keepsPort: boolean;
  /** Whether the type of service has to be said with each message. */
  readonly keepsTos: boolean;
  /** Bytes that stand before the IP header of a frame: virtio_net_hdr, and Ethernet's where there is such. */
  readonly before: number;
  /** Largest payload that is not fragmented. */
  readonly whole: number;
  /** Messages are not cut into datagrams here, by the kernel or by whom it hands them to: they are sent one by one. */
  plain: boolean;
  /** From this packet of the batch on they are sent one by one; -1: they need not be. */
  resume: number;
}

/** Bytes of struct virtio_net_hdr. */
const VNET = 10;
const ETHERNET = 14;

/** Of each class; packets of a rank may be shed when the ring's pressure, 0 to 2, is above it. */
const RANKS: Readonly<Record<TrafficClass, number>> = { low: 0, normal: 1, high: 2 };

function outputOf(target: PlaneOutput, { fd, kind }: OutputSocket): Output {
  const { group, port, ifindex, slot, mtu, dscp, ownMac, singly = false } = target;
  const family = group.length === 4 ? 4 : 6;
  const raw = kind === "raw";
  const name = raw ? linkAddress(family, ifindex) : inetAddress(group, port, ifindex);
  return {
    target,
    fd,
    raw,
    counters: slot * COUNTERS.length,
    name,
    keepsPort: !raw && port === 0,
    keepsTos: !raw && dscp === undefined,
    before: ownMac ? VNET + ETHERNET : VNET,
    whole: mtu - (family === 4 ? 28 : 48),
    plain: singly,
    resume: -1,
  };
}

/** One rule. */
export class ActiveRule {
  readonly rule: PlaneRule;
  readonly family: 4 | 6;
  /** Where its counters begin. */
  readonly counters: number;
  readonly udp: readonly Output[];
  readonly raw: readonly Output[];
  /** Whether packets to different ports, or of different types of service, cannot share a message. */
  readonly splitsPort: boolean;
  readonly splitsTos: boolean;
  /** Of its class, 0 to 2: the lower, the earlier are its packets shed. */
  readonly rank: number;
  readonly cap: Cap | undefined;
  /** Keeps its packets while somebody asks for them. */
  trace: Trace | undefined;
  /** First and last packet of its chain; -1: there is none. */
  head = -1;
  tail = -1;
  /** Largest datagram in the chain, bytes of payload. */
  largest = 0;

  /**
   * @param sockets one for each output, in their order
   * @param before the rule that this one replaces: held to the same rates, it goes on with what is left of them
   * @param now ms
   * @throws RangeError for another number of sockets
   */
  constructor(rule: PlaneRule, sockets: readonly OutputSocket[], before: ActiveRule | undefined, now: number) {
    if (sockets.length !== rule.outputs.length)
      throw new RangeError(`Cannot send for ${rule.outputs.length} outputs by ${sockets.length} sockets`);
    const outputs = rule.outputs.map((output, index) => outputOf(output, sockets[index]!));
    this.rule = rule;
    this.family = rule.group.length === 4 ? 4 : 6;
    this.counters = rule.slot * COUNTERS.length;
    this.udp = outputs.filter(({ raw }) => !raw);
    this.raw = outputs.filter(({ raw }) => raw);
    this.splitsPort = this.udp.some(({ keepsPort }) => keepsPort);
    this.splitsTos = this.udp.some(({ keepsTos }) => keepsTos);
    this.rank = RANKS[rule.class];
    const { bitsPerSecond, packetsPerSecond } = rule.cap;
    const same =
      before?.rule.cap.bitsPerSecond === bitsPerSecond && before?.rule.cap.packetsPerSecond === packetsPerSecond;
    const capped = bitsPerSecond !== undefined || packetsPerSecond !== undefined;
    this.cap = capped ? ((same ? before?.cap : undefined) ?? new Cap(rule.cap, now)) : undefined;
  }
}
