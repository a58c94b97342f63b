/**
 * Branded units and the syntax tc uses for them (iproute2 `tc(8)`, PARAMETERS): a bare number is the base unit,
 * decimal prefixes are powers of 1000 for rates, binary for sizes, and `bps` suffixes mean bytes per second.
 */

type Brand<T, Unit extends string> = T & { readonly __unit: Unit };

/** A rate in bits per second. */
export type BitsPerSecond = Brand<number, "bit/s">;
/** An amount of data in bytes. */
export type Bytes = Brand<number, "byte">;
/** A span of time in microseconds. */
export type Microseconds = Brand<number, "us">;
/** A span of time in milliseconds. */
export type Milliseconds = Brand<number, "ms">;

/** Marks a number as bits per second. */
export const bitsPerSecond = (value: number): BitsPerSecond => value as BitsPerSecond;
/** Marks a number as bytes. */
export const bytes = (value: number): Bytes => value as Bytes;
/** Marks a number as microseconds. */
export const microseconds = (value: number): Microseconds => value as Microseconds;
/** Marks a number as milliseconds. */
export const milliseconds = (value: number): Milliseconds => value as Milliseconds;

/** Megabits per second (10^6 bit/s), the unit of `network.json` and `ShapedDevices.csv`, as a rate. */
export const megabits = (value: number): BitsPerSecond => bitsPerSecond(value * 1e6);

/** The rate cut to whole bytes per second, which is all that HTB can hold; the fraction lost is under 8 bit/s. */
export const wholeBytesRate = (rate: BitsPerSecond): BitsPerSecond => bitsPerSecond(Math.floor(rate / 8) * 8);

const RATE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  bit: 1,
  kbit: 1e3,
  mbit: 1e6,
  gbit: 1e9,
  tbit: 1e12,
  kibit: 2 ** 10,
  mibit: 2 ** 20,
  gibit: 2 ** 30,
  tibit: 2 ** 40,
  bps: 8,
  kbps: 8e3,
  mbps: 8e6,
  gbps: 8e9,
  tbps: 8e12,
  kibps: 8 * 2 ** 10,
  mibps: 8 * 2 ** 20,
  gibps: 8 * 2 ** 30,
  tibps: 8 * 2 ** 40,
};

const SIZE_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 2 ** 10,
  kb: 2 ** 10,
  m: 2 ** 20,
  mb: 2 ** 20,
  g: 2 ** 30,
  gb: 2 ** 30,
  kbit: 2 ** 10 / 8,
  mbit: 2 ** 20 / 8,
  gbit: 2 ** 30 / 8,
};

const TIME_UNITS: Readonly<Record<string, number>> = {
  "": 1,
  us: 1,
  usec: 1,
  usecs: 1,
  ms: 1e3,
  msec: 1e3,
  msecs: 1e3,
  s: 1e6,
  sec: 1e6,
  secs: 1e6,
};

function parseWith(units: Readonly<Record<string, number>>, text: string): number | undefined {
  const match = /^\s*(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)\s*$/i.exec(text);
  if (!match) return undefined;
  const factor = units[match[2]!.toLowerCase()];
  return factor === undefined ? undefined : Number(match[1]) * factor;
}

/** Parses a tc rate (`2.5mbit`, `1gbit`, `100kbps` = kilobytes); a bare number is bit/s. Undefined when it is none. */
export function parseRate(text: string): BitsPerSecond | undefined {
  return parseWith(RATE_UNITS, text) as BitsPerSecond | undefined;
}

/** Parses a tc size (`1600b`, `15kb` of 1024 bytes); a bare number is bytes. Undefined when it is none. */
export function parseSize(text: string): Bytes | undefined {
  return parseWith(SIZE_UNITS, text) as Bytes | undefined;
}

/** Parses a tc time (`100ms`, `1.5s`); a bare number is **microseconds**, as in tc. Undefined when it is none. */
export function parseTime(text: string): Microseconds | undefined {
  return parseWith(TIME_UNITS, text) as Microseconds | undefined;
}

function formatExact(value: number, units: readonly (readonly [string, number])[]): string {
  for (const [suffix, factor] of units) {
    if (value >= factor && value % factor === 0) return `${value / factor}${suffix}`;
  }
  return `${value}${units.at(-1)![0]}`;
}

/** The shortest tc text that means exactly this rate: `2500kbit`, `1gbit`, `12344bit`. */
export function formatRate(rate: BitsPerSecond): string {
  return formatExact(rate, [
    ["tbit", 1e12],
    ["gbit", 1e9],
    ["mbit", 1e6],
    ["kbit", 1e3],
    ["bit", 1],
  ]);
}

/** The tc text of a size, always in bytes (`1600b`): tc's larger units are binary, which invites misreading. */
export const formatSize = (size: Bytes): string => `${size}b`;

/** The shortest tc text that means exactly this time: `100ms`, `1s`, `250us`. */
export function formatTime(time: Microseconds): string {
  return formatExact(time, [
    ["s", 1e6],
    ["ms", 1e3],
    ["us", 1],
  ]);
}

/** A rate for people: at most four significant digits and the prefix that fits, `2.5 Mbit/s`. */
export function humanRate(rate: number): string {
  const steps: readonly (readonly [string, number])[] = [
    ["Tbit/s", 1e12],
    ["Gbit/s", 1e9],
    ["Mbit/s", 1e6],
    ["kbit/s", 1e3],
  ];
  for (const [suffix, factor] of steps) {
    if (rate >= factor) return `${Number((rate / factor).toPrecision(4))} ${suffix}`;
  }
  return `${Math.round(rate)} bit/s`;
}

/** An amount of data for people, binary prefixes: `1.5 MiB`. */
export function humanBytes(size: number): string {
  const steps = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  let value = size;
  while (value >= 1024 && step < steps.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${step === 0 ? value : Number(value.toPrecision(value >= 1000 ? 4 : 3))} ${steps[step]}`;
}
