/**
 * The bakery's commands: what LibreQoS's Python side tells the process that builds its trees, one class or leaf at a time.
 * Names, fields and their order are LibreQoS's, so that its callers can be served.
 */

/** Takes the trees of both interfaces away, those that have an mq at their root. */
export interface ClearPriorSettings {
  readonly kind: "ClearPriorSettings";
}

/** Makes mq, HTBs, root and default classes of both interfaces, as the configuration says. */
export interface MqSetup {
  readonly kind: "MqSetup";
}

/** A class, in LibreQoS's words. */
interface HtbClass {
  readonly interface: string;
  /** `0x1:` or `0x1:0x3` */
  readonly parent: string;
  /** The minor alone, `0x4`: the kernel takes the major from the parent. */
  readonly classid: string;
  /** Mbit/s. */
  readonly rateMbps: number;
  readonly ceilMbps: number;
  /** Divides bytes per second into a quantum. */
  readonly r2q: number;
}

/** The class of a node. */
export interface AddStructuralHtbClass extends HtbClass {
  readonly kind: "AddStructuralHTBClass";
  /** Of the node's name (`../libreqos/hash.ts`). */
  readonly siteHash: bigint;
}

/** The class of a circuit, in one direction. */
export interface AddCircuitHtbClass extends HtbClass {
  readonly kind: "AddCircuitHTBClass";
  /** Of the circuit's id. */
  readonly circuitHash: bigint;
  /** For people; no line has it. */
  readonly comment?: string;
}

/** The leaf of a circuit, in one direction. */
export interface AddCircuitQdisc {
  readonly kind: "AddCircuitQdisc";
  readonly interface: string;
  readonly parentMajor: number;
  readonly parentMinor: number;
  readonly circuitHash: bigint;
  /** Kind and options as tc's words: `["cake", "diffserv4"]`. */
  readonly sqmParams: readonly string[];
}

/** Lines for tc, all in one batch. */
export interface ExecuteTcCommands {
  readonly kind: "ExecuteTCCommands";
  /** Without `tc` in front. */
  readonly commands: readonly string[];
  /** Go on after a line that fails (`tc -force`). */
  readonly forceMode: boolean;
}

/** One command. */
export type BakeryCommand =
  | ClearPriorSettings
  | MqSetup
  | AddStructuralHtbClass
  | AddCircuitHtbClass
  | AddCircuitQdisc
  | ExecuteTcCommands;
