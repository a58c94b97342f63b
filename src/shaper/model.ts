/**
 * The shaper's nouns: what an ISP's files say ({@link Isp}), what the machine offers ({@link Facts}), what the kernel
 * shows ({@link Observed}) and what it shall hold ({@link Desired}). Plain data, all of it.
 */
import type { Both, Direction } from "../core/both.ts";
import type { Location } from "../core/errors.ts";
import type { Prefix } from "../core/prefix.ts";
import type { ClassAt } from "../core/tc/class.ts";
import type { Handle } from "../core/tc/handle.ts";
import type { Cake, FqCodel, QdiscAt, SeenQdisc } from "../core/tc/qdisc.ts";
import type { BitsPerSecond, Bytes } from "../core/units.ts";

export { type Both, type Direction, DIRECTIONS } from "../core/both.ts";

// ---- What the files say -------------------------------------------------------------------------------------------

/** A site, tower, access point, switch: anything in `network.json` with a capacity. */
export interface NetworkNode {
  /** Unique in the whole tree. */
  readonly name: string;
  readonly max: Both<BitsPerSecond>;
  /** What the node is guaranteed from its parent; 0 when the file does not say. */
  readonly min: Both<BitsPerSecond>;
  /** The file's `type`, for display only. */
  readonly type?: string;
  readonly children: readonly NetworkNode[];
  readonly where: Location;
}

/** The leaf a row of the device list asks for; absent is "what the configuration says". */
export type LeafOverride = "cake" | "fq_codel" | "fifo" | "none";

/** One row of the device list. */
export interface Device {
  readonly id: string;
  readonly name: string;
  readonly mac: string;
  readonly comment: string;
  readonly prefixes: readonly Prefix[];
  readonly where: Location;
}

/** A subscriber's service: one queue per direction, shared by its devices. */
export interface Circuit {
  readonly id: string;
  readonly name: string;
  /** Name of the node it hangs on; absent for an orphan, which hangs on the link itself. */
  readonly parent?: string;
  readonly max: Both<BitsPerSecond>;
  /** Guaranteed; 0 when the file does not say. */
  readonly min: Both<BitsPerSecond>;
  readonly leaf: Partial<Both<LeafOverride>>;
  readonly devices: readonly Device[];
  /** Its first row. */
  readonly where: Location;
}

/** An ISP: the content of `network.json` and `ShapedDevices.csv`, each by itself free of errors. */
export interface Isp {
  /** Virtual nodes are already dissolved into their parents' level. File order. */
  readonly nodes: readonly NetworkNode[];
  /** In the order of their first rows. */
  readonly circuits: readonly Circuit[];
}

// ---- What the configuration says ------------------------------------------------------------------------------------

/** Which leaf qdisc circuits get. */
export type LeafChoice =
  /** The best the kernel has: cake, fq_codel, fifo in this order. */
  { readonly kind: "auto" } | { readonly kind: "none" } | { readonly kind: "fifo" } | Cake | FqCodel;

/** How the shaper meets the network. */
export type Link =
  /** Two interfaces: download leaves by `lan`, upload by `internet`. */
  | { readonly kind: "bridge"; readonly lan: string; readonly internet: string }
  /** One interface carrying both sides as VLANs. */
  | { readonly kind: "stick"; readonly interface: string; readonly lanVlan: number; readonly internetVlan: number };

/** The `[shaper]` part of `sluice.toml`, checked and with its defaults filled in. */
export interface ShaperConfig {
  /** Absolute path of `network.json`. */
  readonly network: string;
  /** Absolute path of `ShapedDevices.csv`. */
  readonly devices: string;
  /** Whose rules the tree is built by: sluice's own, or LibreQoS's to the letter. */
  readonly dialect: "sluice" | "libreqos";
  readonly link: Link;
  /** Capacity of the line to the Internet. */
  readonly rate: Both<BitsPerSecond>;
  /** `observe` builds the same tree with nothing limited, so that it counts but does not shape. */
  readonly mode: "shape" | "observe";
  readonly leaf: LeafChoice;
  /** Circuits planned at this rate or above get fq_codel instead of cake; 0 switches that off. */
  readonly fastRate: BitsPerSecond;
  /** What to do with guarantees that cannot all be kept. */
  readonly minimums: "strict" | "scale";
  /** Cap for all hosts that no circuit claims, together; absent: the link's rate. */
  readonly unknownRate?: Both<BitsPerSecond>;
  /** At most this many transmit queues are used per direction; absent: all. */
  readonly queues?: number;
}

// ---- What the machine offers ----------------------------------------------------------------------------------------

/** Qdisc kinds that a kernel may lack and that leaves are made of. */
export type LeafKind = "cake" | "fq_codel" | "bfifo";

/** What an interface offers to the tree builder. */
export interface DeviceFacts {
  /** Real (usable) transmit queues. */
  readonly txQueues: number;
  readonly mtu: number;
}

/** What the builder needs to know of the machine. */
export interface Facts {
  readonly devices: ReadonlyMap<string, DeviceFacts>;
  readonly leafKinds: ReadonlySet<LeafKind>;
  /** `MemAvailable`: what new leaves may take. */
  readonly memory: Bytes;
}

// ---- What the kernel shows ------------------------------------------------------------------------------------------

/** The class and the transmit queue that a packet of a host is sent to. */
export interface Target {
  readonly classid: Handle;
  /** Transmit queue counted from 1; 0 leaves the choice to the kernel (devices with a single queue). */
  readonly queue: number;
}

/** One row of the classifier's table. */
export interface HostEntry {
  readonly prefix: Prefix;
  readonly target: Both<Target>;
}

/** Rows of the classifier's table by {@link Prefix.key}. */
export type HostTable = ReadonlyMap<string, HostEntry>;

/** Where packets of unknown hosts go. */
export interface UnknownTarget {
  /** First transmit queue, counted from 1; 0 leaves the queue to the kernel. */
  readonly firstQueue: number;
  /** Over how many queues flows are spread by hash. */
  readonly queues: number;
  /** Class to set, or 0 to leave it to the HTB's own default class. */
  readonly classid: Handle;
}

/** What a device's classifier program is told when it is loaded. */
export interface ClassifierConfig {
  /** How a packet's direction is found: all packets leaving here go one way, or its VLAN tells. */
  readonly side: Direction | "vlan";
  /** VLAN ids towards the subscribers and the Internet; 0 when side is not `vlan`. */
  readonly lanVlan: number;
  readonly internetVlan: number;
  readonly unknown: Both<UnknownTarget>;
}

/** Packet steering of a transmit queue (XPS): the masks as sysfs writes them. */
export interface Steering {
  readonly cpus: string;
  readonly rxqs: string;
}

/** Steering that steers nothing. */
export const NO_STEERING: Steering = { cpus: "0", rxqs: "0" };

/** Steering by device name and transmit queue (from 0). */
export type SavedSteering = ReadonlyMap<string, ReadonlyMap<number, Steering>>;

/** A device as the kernel shows it. */
export interface ObservedDevice {
  readonly name: string;
  readonly ifindex: number;
  /** Every qdisc but those the kernel made by itself (handle 0). */
  readonly qdiscs: readonly QdiscAt<SeenQdisc>[];
  /** Classes of HTBs; one directly below its HTB has the HTB's handle as its parent (the kernel's dump says "root"). */
  readonly classes: readonly ClassAt[];
  /** Transmit queues (from 0) whose steering would override the classifier's choice of a queue. */
  readonly steering: ReadonlyMap<number, Steering>;
  /** Our classifier with the configuration it was loaded with; undefined when none is attached or it is of no use. */
  readonly classifier?: ClassifierConfig;
  /** Set when our classifier is attached but of no use: of another build, or without its pinned maps. */
  readonly staleClassifier?: true;
}

/** The kernel's state as far as the shaper is concerned. */
export interface Observed {
  readonly devices: ReadonlyMap<string, ObservedDevice>;
  /** The classifier's table, undefined when there is none yet. */
  readonly hosts?: HostTable;
  /** Names of other devices that still classify by this table: what an earlier configuration left. */
  readonly elsewhere?: readonly string[];
}

// ---- What it shall hold ---------------------------------------------------------------------------------------------

/** A device as it shall be. */
export interface DesiredDevice {
  readonly name: string;
  /** Root first, then each qdisc after the class or qdisc it hangs on. */
  readonly qdiscs: readonly QdiscAt[];
  /** Parents before children. */
  readonly classes: readonly ClassAt[];
  readonly classifier: ClassifierConfig;
}

/** The state to reach. */
export interface Desired {
  readonly devices: readonly DesiredDevice[];
  readonly hosts: HostTable;
}
