/**
 * What each datagram of a generator begins with, so that a sink can tell which it is and how long it took. Pure.
 *
 * All in network order: u32 magic, u32 run, u32 stream, u48 sequence, u48 total, u32 seconds and u32 nanoseconds of the
 * sender's clock (CLOCK_REALTIME) when it was handed to the kernel. Whatever follows is filling.
 */

/** Bytes of a stamp, the least that a datagram of a generator has. */
export const STAMP_BYTES = 32;

const MAGIC = 0x534c_7467;
const AT = { magic: 0, run: 4, stream: 8, sequence: 12, total: 18, seconds: 24, nanoseconds: 28 } as const;
const LOW = 2 ** 32;

/** A datagram of a generator. */
export interface Stamp {
  /** Made up by each generator: tells one from another that sends to the same place. */
  readonly run: number;
  /** Which of its streams. */
  readonly stream: number;
  /** From 0 on. */
  readonly sequence: number;
  /** How many there will be; 0 when that is not known. */
  readonly total: number;
  /** Nanoseconds since 1970 are too many for a number; so are these together. */
  readonly seconds: number;
  readonly nanoseconds: number;
}

function setU48(view: DataView, at: number, value: number): void {
  view.setUint16(at, Math.floor(value / LOW));
  view.setUint32(at + 2, value % LOW);
}

const getU48 = (view: DataView, at: number): number => view.getUint16(at) * LOW + view.getUint32(at + 2);

/** Writes what all datagrams of a stream have alike. */
export function writeStream(view: DataView, at: number, { run, stream, total }: Omit<Stamp, "sequence" | Time>): void {
  view.setUint32(at + AT.magic, MAGIC);
  view.setUint32(at + AT.run, run);
  view.setUint32(at + AT.stream, stream);
  setU48(view, at + AT.total, total);
}

type Time = "seconds" | "nanoseconds";

/** Writes what each has for itself. */
export function writeTurn(
  view: DataView,
  at: number,
  sequence: number,
  { seconds, nanoseconds }: Pick<Stamp, Time>,
): void {
  setU48(view, at + AT.sequence, sequence);
  view.setUint32(at + AT.seconds, seconds);
  view.setUint32(at + AT.nanoseconds, nanoseconds);
}

/** Reads a stamp; undefined for a datagram of anybody else. */
export function readStamp(view: DataView, at: number, bytes: number): Stamp | undefined {
  if (bytes < STAMP_BYTES || view.getUint32(at) !== MAGIC) return undefined;
  return {
    run: view.getUint32(at + AT.run),
    stream: view.getUint32(at + AT.stream),
    sequence: getU48(view, at + AT.sequence),
    total: getU48(view, at + AT.total),
    seconds: view.getUint32(at + AT.seconds),
    nanoseconds: view.getUint32(at + AT.nanoseconds),
  };
}
