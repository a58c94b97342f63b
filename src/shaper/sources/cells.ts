/** Single cells of `ShapedDevices.csv`: addresses, leaves, MAC addresses. */
import { formatAddress, parsePrefix, type Prefix, prefix } from "../../core/prefix.ts";
import type { Both, LeafOverride } from "../model.ts";

/** Why one address of a cell was refused. */
export interface AddressFault {
  readonly value: string;
  /** Set when it is a good address of the other family. */
  readonly other?: "IPv4" | "IPv6";
  readonly reason: string;
}

const bare = (text: string): string => text.split("/", 1)[0]!;

/** The network that a text with host bits set lies in, and the host it names. */
function hostBits(text: string): string {
  const host = parsePrefix(bare(text));
  if (typeof host === "string") return "";
  const network = prefix(host.family, host.address, Number(text.slice(text.indexOf("/") + 1)));
  const address = formatAddress(host.family, host.address);
  return `which has host bits set: the host is ${address}, the network is ${network.key}`;
}

/**
 * Parses the hosts and CIDRs of an address cell, parted by commas, semicolons or blanks.
 *
 * @param family the family of the column
 */
export function parseAddresses(cell: string, family: 4 | 6): { prefixes: Prefix[]; faults: AddressFault[] } {
  const prefixes: Prefix[] = [];
  const faults: AddressFault[] = [];
  for (const value of cell.split(/[,;\s]+/)) {
    if (value === "") continue;
    const parsed = parsePrefix(value);
    if (typeof parsed === "object") {
      if (parsed.family === family) prefixes.push(parsed);
      else faults.push({ value, other: parsed.family === 4 ? "IPv4" : "IPv6", reason: "" });
    } else if (parsed === "host-bits-set") faults.push({ value, reason: hostBits(value) });
    else if (parsed === "bad-length") {
      faults.push({ value, reason: `whose length must be a number from 0 to ${bare(value).includes(":") ? 128 : 32}` });
    } else faults.push({ value, reason: `which is no IPv${family} address` });
  }
  return { prefixes, faults };
}

const LEAVES: readonly string[] = ["cake", "fq_codel", "fifo", "none"] satisfies LeafOverride[];

/**
 * Parses an `sqm` cell: one leaf for both directions, or `download/upload` of which one side may be empty.
 *
 * @returns the leaves, or why the cell was refused
 */
export function parseLeaf(cell: string): Partial<Both<LeafOverride>> | string {
  if (cell === "") return {};
  const sides = cell.toLowerCase().split("/");
  if (sides.length > 2) return "it has more than two sides";
  const [download = "", upload = ""] = (sides.length === 2 ? sides : [cell.toLowerCase(), cell.toLowerCase()]).map(
    (side) => side.trim(),
  );
  const unknown = [download, upload].find((side) => side !== "" && !LEAVES.includes(side));
  if (unknown !== undefined) return `"${unknown}" is no leaf`;
  if (download === "" && upload === "") return "both sides are empty";
  return {
    ...(download !== "" && { download: download as LeafOverride }),
    ...(upload !== "" && { upload: upload as LeafOverride }),
  };
}

/** The MAC address in its usual form (`00:11:22:aa:bb:cc`), from any of the usual ones; undefined when it is none. */
export function parseMac(cell: string): string | undefined {
  if (/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/.test(cell)) return cell;
  const digits = cell.toLowerCase().replaceAll(/[:.-]/g, "");
  return /^[0-9a-f]{12}$/.test(digits) ? digits.replaceAll(/(..)(?=.)/g, "$1:") : undefined;
}
