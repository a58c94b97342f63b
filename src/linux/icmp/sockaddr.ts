/** struct sockaddr_in and sockaddr_in6, of addresses without ports. */
import { commonAddress, formatAddress, parsePrefix } from "../../core/prefix.ts";

/** AF_INET and AF_INET6, by IP version. */
export const AF = { 4: 2, 6: 10 } as const;
/** Bytes that hold either. */
export const SOCKADDR_SIZE = 28;

/** The bytes of a host's address. @throws TypeError for what is none */
export function encodeSockaddr(address: string): Buffer {
  const host = parsePrefix(address);
  if (typeof host === "string" || host.length !== (host.family === 4 ? 32 : 128))
    throw new TypeError(`Cannot send to "${address}": it is no address of a host`);
  const digits = Buffer.from(commonAddress(host).toString(16).padStart(32, "0"), "hex");
  const bytes = Buffer.alloc(host.family === 4 ? 16 : SOCKADDR_SIZE);
  bytes.writeUInt16LE(AF[host.family], 0);
  digits.copy(bytes, host.family === 4 ? 4 : 8, host.family === 4 ? 12 : 0);
  return bytes;
}

/** The address in the bytes, as text in its usual form. */
export function decodeSockaddr(bytes: Buffer): string {
  if (bytes.readUInt16LE(0) === AF[4]) return formatAddress(4, BigInt(bytes.readUInt32BE(4)));
  return formatAddress(6, (bytes.readBigUInt64BE(8) << 64n) | bytes.readBigUInt64BE(16));
}
