/** Python's `ipaddress.ip_network` and `ip_address`, as far as which family a text is of, or that they raise. */
import { isIPv4, isIPv6 } from "node:net";

/** The address's family, without a zone (`%eth0`), which Python allows for IPv6. */
function splitZone(text: string): { readonly host: string; readonly family: 4 | 6 | undefined } {
  if (isIPv4(text)) return { host: text, family: 4 };
  const [host = "", zone, ...more] = text.split("%");
  if (more.length > 0 || zone === "" || zone?.includes("/") || !isIPv6(host)) return { host, family: undefined };
  return { host, family: 6 };
}

/** `ip_address(text)`: its family; undefined when it raises. */
export const ipAddress = (text: string): 4 | 6 | undefined => splitZone(text).family;

/** The length that `255.255.255.0`, or turned round `0.0.0.255`, stands for. */
function maskLength(mask: string): number | undefined {
  if (!isIPv4(mask)) return undefined;
  const bits = mask
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("");
  const ones = /^(1*)0*$/.exec(bits);
  if (ones) return ones[1]!.length;
  const zeros = /^(0*)1*$/.exec(bits);
  return zeros?.[1]!.length;
}

/** An IPv6 address as eight groups. */
function groupsOf(host: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(host);
  const pair = (high: string, low: string): string => (Number(high) * 256 + Number(low)).toString(16);
  const text = dotted ? `${dotted[1]}${pair(dotted[2]!, dotted[3]!)}:${pair(dotted[4]!, dotted[5]!)}` : host;
  const read = (part: string): number[] =>
    part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16));
  const [head = "", tail] = text.split("::");
  const [left, right] = [read(head), read(tail ?? "")];
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

/** Whether an address has bits set below a network's length. */
function hasHostBits(host: string, family: 4 | 6, length: number): boolean {
  const [units, width] = family === 4 ? [host.split(".").map(Number), 8] : [groupsOf(host), 16];
  return units.some(
    (unit, index) => (unit & ((1 << Math.max(0, Math.min(width, (index + 1) * width - length))) - 1)) !== 0,
  );
}

/** `ip_network(text)`: its family; undefined when it raises, as it does when host bits are set. */
export function ipNetwork(text: string): 4 | 6 | undefined {
  const [address = "", suffix, ...more] = text.split("/");
  const { host, family } = splitZone(address);
  if (more.length > 0 || family === undefined) return undefined;
  if (suffix === undefined) return family;
  const length = /^\d+$/.test(suffix) ? Number(suffix) : family === 4 ? maskLength(suffix) : undefined;
  if (length === undefined || length > (family === 4 ? 32 : 128)) return undefined;
  return hasHostBits(host, family, length) ? undefined : family;
}
