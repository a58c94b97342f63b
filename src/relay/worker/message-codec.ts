/** What a supervisor and its worker say to each other. */
import type { RingCounts } from "./cells.ts";
import type { WireRule } from "./rule-codec.ts";

/** Of an output for which no socket could be opened. */
export const NO_SOCKET = -1;

/** By what kind of socket an output's copies are sent. */
export type SocketKind = "udp" | "raw";

/** What a worker is told at its start. */
export interface WorkerWords {
  /** How many there are in the memory of counters. */
  readonly slots: number;
}

/** Said by the supervisor. */
export type Order =
  /** A ring, whose descriptor comes along, with a number that no other one ever has. */
  | { readonly kind: "ring"; readonly number: number; readonly layout: unknown }
  /** Those that are in use from the next `sync` on; all others end with that. */
  | { readonly kind: "rings"; readonly numbers: readonly number[] }
  /** All sockets and rules follow: what is not said again is dropped at the next `sync`. */
  | { readonly kind: "begin" }
  /** A socket, whose descriptor comes along. Rules call it by its number, which no other one ever has. */
  | { readonly kind: "socket"; readonly number: number; readonly socket: SocketKind }
  /** A socket that no rule calls any more. */
  | { readonly kind: "close"; readonly number: number }
  /**
   * A rule with its outputs, and their sockets in the same order; {@link NO_SOCKET} for one that has none. When there are too
   * many for a message, the others follow in messages that differ in the outputs only; `more` is false in the last.
   */
  | { readonly kind: "rule"; readonly rule: WireRule; readonly sockets: readonly number[]; readonly more: boolean }
  | { readonly kind: "drop"; readonly id: string }
  | { readonly kind: "sync"; readonly number: number }
  | { readonly kind: "trace"; readonly number: number; readonly id: string; readonly most: number }
  | { readonly kind: "stop" };

/** A packet that a worker saw. */
export interface TracedPacket {
  /** ms since the epoch. */
  readonly time: number;
  /** Address and port, `10.1.2.3:5000` or `[2001:db8::1]:5000`. */
  readonly source: string;
  readonly destination: string;
  /** Of the payload, bytes. */
  readonly length: number;
  /** What became of it: `sent`, or the name of a counter. */
  readonly outcome: string;
}

/** What a worker did, said last. Sums over the rules that it had. */
export interface FinalReport {
  readonly rules: number;
  readonly packets: number;
  readonly bytes: number;
  /** Copies that were sent. */
  readonly copies: number;
  readonly sendErrors: number;
  readonly ring: RingCounts;
}

/** Said by the worker. */
export type Report =
  | { readonly kind: "ready" }
  /** How many rules it has, and the hash that it made of them itself (digest.ts). */
  | { readonly kind: "ack"; readonly number: number; readonly hash: string; readonly count: number }
  | { readonly kind: "traced"; readonly number: number; readonly packets: readonly TracedPacket[] }
  /** A ring that will receive nothing any more. */
  | { readonly kind: "dead"; readonly ring: number }
  | ({ readonly kind: "final" } & FinalReport);

/** Most outputs in one message: with the longest names and addresses it stays below the largest that there may be. */
export const OUTPUTS_PER_MESSAGE = 200;
/** Most packets in an answer to `trace`. */
export const MOST_TRACED = 200;

const FIELDS: Readonly<Record<Report["kind"], Readonly<Record<string, string>>>> = {
  ready: {},
  ack: { number: "number", hash: "string", count: "number" },
  traced: { number: "number", packets: "object" },
  dead: { ring: "number" },
  final: {
    rules: "number",
    packets: "number",
    bytes: "number",
    copies: "number",
    sendErrors: "number",
    ring: "object",
  },
};

const isTraced = (packet: unknown): boolean => {
  const { time, source, destination, length, outcome } = (packet ?? {}) as Record<string, unknown>;
  return (
    [source, destination, outcome].every((text) => typeof text === "string" && /^[\w.:[\]]{0,60}$/.test(text)) &&
    [time, length].every((number) => typeof number === "number")
  );
};

/** A worker is not trusted: reads what it says. @throws TypeError for anything else than a report */
export function readReport(value: unknown): Report {
  const report = (value ?? {}) as Record<string, unknown>;
  const kind = JSON.stringify(report["kind"]);
  const fields = Object.entries(FIELDS).find(([name]) => name === report["kind"])?.[1];
  if (!fields) throw new TypeError(`unknown report ${kind}`);
  for (const [name, type] of Object.entries(fields))
    if (typeof report[name] !== type || report[name] === null)
      throw new TypeError(`report ${kind} has ${name} ${JSON.stringify(report[name])}, wanted a ${type}`);
  const { packets } = report;
  if (report["kind"] === "traced" && !(Array.isArray(packets) && packets.every((packet) => isTraced(packet))))
    throw new TypeError(`report ${kind} has packets that are none`);
  return report as unknown as Report;
}
