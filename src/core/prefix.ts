/**
 * IP prefixes as the classifier's longest-prefix-match table holds them: 128 bits for both families, IPv4 as
 * `::ffff:a.b.c.d` with 96 added to its length, so one table and one key format serve both.
 */
import { isIPv4, isIPv6 } from "node:net";

/** An IPv4 or IPv6 network. Frozen plain data; equal prefixes have equal {@link Prefix.key}s. */
export interface Prefix {
  readonly family: 4 | 6;
  /** The network address as a number of 32 (IPv4) or 128 (IPv6) bits; host bits are zero. */
  readonly address: bigint;
  /** Length within the family: 0..32 or 0..128. */
  readonly length: number;
  /** Canonical text (`192.0.2.0/24`, `2001:db8::/32`; a host keeps its `/32` or `/128`), unique per prefix. */
  readonly key: string;
}

const bits = (family: 4 | 6): number => (family === 4 ? 32 : 128);

function parseV4(text: string): bigint {
  return BigInt(text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0));
}

function parseV6(text: string): bigint {
  let source = text;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(source);
  if (dotted) {
    const v4 = parseV4(dotted[2]!);
    source = `${dotted[1]}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`;
  }
  const [head = "", tail] = source.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const groups =
    tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill("0"), ...right];
  return BigInt(`0x${groups.map((group) => group.padStart(4, "0")).join("")}`);
}

/** The canonical text of an address (RFC 5952 for IPv6). */
export function formatAddress(family: 4 | 6, address: bigint): string {
  if (family === 4) {
    const word = Number(address);
    return `${word >>> 24}.${(word >>> 16) & 0xff}.${(word >>> 8) & 0xff}.${word & 0xff}`;
  }
  const digits = address.toString(16).padStart(32, "0");
  const groups = Array.from({ length: 8 }, (_, i) => Number.parseInt(digits.slice(4 * i, 4 * i + 4), 16));
  let best = { start: -1, length: 1 };
  let zeros = 0;
  for (let i = 0; i < 8; i += 1) {
    zeros = groups[i] === 0 ? zeros + 1 : 0;
    if (zeros > best.length) best = { start: i - zeros + 1, length: zeros };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.start < 0) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

const masks = (size: bigint): bigint[] =>
  Array.from({ length: Number(size) + 1 }, (_, length) => ((1n << size) - 1n) ^ ((1n << (size - BigInt(length))) - 1n));
const MASKS: Readonly<Record<4 | 6, readonly bigint[]>> = { 4: masks(32n), 6: masks(128n) };

const networkMask = (family: 4 | 6, length: number): bigint => MASKS[family][length]!;

/** Builds a prefix, clearing host bits. */
export function prefix(family: 4 | 6, address: bigint, length: number): Prefix {
  const network = address & networkMask(family, length);
  return Object.freeze({ family, address: network, length, key: `${formatAddress(family, network)}/${length}` });
}

/** Why {@link parsePrefix} refused a text. */
export type PrefixProblem = "not-an-address" | "bad-length" | "host-bits-set";

/**
 * Parses a host or CIDR of either family. Strict where mistakes hide: inet_aton forms (`010.0.0.1`, `127.1`), zone ids
 * and lengths out of range are refused, and so is a network with host bits set (`192.0.2.7/24`), which is nearly always
 * a typing error for a host. An IPv4-mapped IPv6 address (`::ffff:192.0.2.1`) is the IPv4 address it carries.
 */
export function parsePrefix(text: string): Prefix | PrefixProblem {
  const slash = text.indexOf("/");
  const host = slash < 0 ? text : text.slice(0, slash);
  const family = isIPv4(host) ? 4 : isIPv6(host) && !host.includes("%") ? 6 : undefined;
  if (family === undefined) return "not-an-address";
  let length = bits(family);
  if (slash >= 0) {
    const suffix = text.slice(slash + 1);
    if (!/^\d{1,3}$/.test(suffix) || Number(suffix) > length) return "bad-length";
    length = Number(suffix);
  }
  const address = family === 4 ? parseV4(host) : parseV6(host);
  if ((address & networkMask(family, length)) !== address) return "host-bits-set";
  if (family === 6 && length >= 96 && address >> 32n === 0xffffn) return prefix(4, address & 0xffffffffn, length - 96);
  return prefix(family, address, length);
}

/** The 4 or 16 bytes of a host's address, network order. @throws TypeError for what is none, such as a network */
export function addressBytes(text: string): Uint8Array {
  const host = parsePrefix(text);
  if (typeof host === "string" || host.length !== bits(host.family))
    throw new TypeError(`"${text}" is no address of a host`);
  return Buffer.from(host.address.toString(16).padStart(bits(host.family) / 4, "0"), "hex");
}

/** The canonical text of the 4 or 16 bytes of an address. */
export const addressText = (bytes: Uint8Array): string =>
  formatAddress(bytes.length === 4 ? 4 : 6, BigInt(`0x${Buffer.from(bytes).toString("hex")}`));

/** Whether `outer` holds every address of `inner` (a prefix contains itself). */
export function contains(outer: Prefix, inner: Prefix): boolean {
  return (
    outer.family === inner.family &&
    outer.length <= inner.length &&
    (inner.address & networkMask(outer.family, outer.length)) === outer.address
  );
}

/** Prefix length in the common 128-bit space: IPv4 lengths are 96 longer. */
export const commonLength = (p: Prefix): number => (p.family === 4 ? p.length + 96 : p.length);

/** Address in the common 128-bit space: IPv4 as `::ffff:a.b.c.d`. */
export const commonAddress = (p: Prefix): bigint => (p.family === 4 ? (0xffffn << 32n) | p.address : p.address);

/** Orders by family, address, then length, so that a prefix directly follows one that contains it or a sibling. */
function comparePrefixes(a: Prefix, b: Prefix): number {
  if (a.family !== b.family) return a.family - b.family;
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  return a.length - b.length;
}

/** Every pair (outer, inner) of entries whose prefixes overlap, duplicates included. O(n log n + pairs). */
export function overlaps<T>(
  entries: readonly { readonly prefix: Prefix; readonly value: T }[],
): [outer: T, inner: T][] {
  const sorted = entries.toSorted((a, b) => comparePrefixes(a.prefix, b.prefix));
  const found: [T, T][] = [];
  const stack: typeof sorted = [];
  for (const entry of sorted) {
    while (stack.length > 0 && !contains(stack.at(-1)!.prefix, entry.prefix)) stack.pop();
    for (const outer of stack) found.push([outer.value, entry.value]);
    stack.push(entry);
  }
  return found;
}
