/** The nouns of the relay: rules as users say them, and as a plane carries them out. Pure. */

/** Who carries a rule out: `auto` is the kernel where it can, and the worker for everything else. */
export type Engine = "auto" | "kernel" | "user";

/** The address that copies are sent from: that of the output's interface, that of the packet, or one that is named. */
export type SourceChoice =
  | { readonly kind: "rewrite" }
  | { readonly kind: "preserve" }
  | { readonly kind: "address"; readonly address: string };

/** Traffic that is shed first under overload: the higher classes go on. */
export type TrafficClass = "high" | "normal" | "low";

/** What a rule takes. Addresses are texts in their canonical form, of one family throughout the rule. */
export interface RuleInput {
  /** Name of the interface; it need not exist yet. */
  readonly interface: string;
  /** Destination: a group, or a unicast address. */
  readonly group: string;
  /** Destination port; 0: any. */
  readonly port: number;
  /** Only from this source; undefined: from any. */
  readonly source?: string;
  /** Only frames with this VLAN id, 1 to 4094; undefined: only untagged ones. */
  readonly vlan?: number;
}

/** Where copies go. */
export interface RuleOutput {
  readonly interface: string;
  /** A group, or a unicast address. */
  readonly group: string;
  /** 0: that of the packet. */
  readonly port: number;
  /** 1 to 255. */
  readonly ttl: number;
  /** 0 to 63; undefined: that of the packet. */
  readonly dscp?: number;
  readonly source: SourceChoice;
}

/** Most bits or packets that a rule lets through. */
export interface RateCap {
  readonly bitsPerSecond?: number;
  readonly packetsPerSecond?: number;
}

/** A rule. */
export interface Rule {
  /** 16 hex digits made of the input, or what the user calls it. */
  readonly id: string;
  readonly name?: string;
  readonly input: RuleInput;
  readonly outputs: readonly RuleOutput[];
  readonly engine: Engine;
  readonly class: TrafficClass;
  readonly cap: RateCap;
  /** `static`: of the configuration; `dynamic`: added while sluice ran, and kept in the store. */
  readonly origin: "static" | "dynamic";
}

/**
 * A rule as planes are told it: names are numbers, addresses bytes, everything that can be looked up has been. Made anew
 * whenever an interface, an address or a neighbour changes.
 */
export interface PlaneRule {
  readonly id: string;
  /** Of its counters. */
  readonly slot: number;
  readonly ifindex: number;
  /** 4 or 16 bytes, network order; those of its source and outputs are of the same length. */
  readonly group: Uint8Array;
  /** 0: any. */
  readonly port: number;
  readonly source?: Uint8Array;
  /** 0: untagged. */
  readonly vlan: number;
  readonly class: TrafficClass;
  readonly cap: RateCap;
  readonly outputs: readonly PlaneOutput[];
}

/** Where a plane sends copies. Outputs that cannot be used now (no interface, no address) are not in it. */
export interface PlaneOutput {
  /** Of its counters. */
  readonly slot: number;
  readonly ifindex: number;
  readonly device: string;
  readonly group: Uint8Array;
  /** 0: that of the packet. */
  readonly port: number;
  readonly ttl: number;
  readonly dscp?: number;
  /** Undefined: the packet's own is kept. */
  readonly source?: Uint8Array;
  /** The output's hardware address, 6 bytes; undefined where it has none. */
  readonly ownMac?: Uint8Array;
  /** Where the frame goes: made of the group, or the neighbour's; undefined while that is not known. */
  readonly mac?: Uint8Array;
  readonly mtu: number;
  /** Datagrams are to be sent one by one: nobody behind it could take a train of them apart. */
  readonly singly?: boolean;
}

/**
 * What is counted in a slot, in this order: those of a rule count packets that came in for it, those of an output copies.
 * Bytes are those of UDP payloads.
 */
export const COUNTERS = [
  "packets",
  "bytes",
  /** The kernel refused a copy: no buffer, no route, interface down. */
  "sendErrors",
  /** Larger than the output's MTU, and could not be fragmented. */
  "tooLarge",
  /** Over the rule's cap. */
  "capped",
  /** Given up under overload, in favour of higher classes. */
  "shed",
] as const;

/** One of {@link COUNTERS}. */
export type Counter = (typeof COUNTERS)[number];

/** Why a packet that came in was passed over, each a counter of the input interface, in this order. */
export const REASONS = [
  "notIp",
  "notUdp",
  "badHeader",
  "badChecksum",
  "truncated",
  "badLength",
  "fragment",
  "noRule",
  /** A worker that ended had not come to it. */
  "unread",
] as const;

/** One of {@link REASONS}. */
export type Reason = (typeof REASONS)[number];
