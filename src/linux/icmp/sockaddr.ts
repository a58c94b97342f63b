/** struct sockaddr_in and sockaddr_in6, of addresses without ports. */
import { addressBytes, addressText } from "../../core/prefix.ts";

/** AF_INET and AF_INET6, by IP version. */
export const AF = { 4: 2, 6: 10 } as const;
/** Bytes that hold either. */
export const SOCKADDR_SIZE = 28;

/** The bytes of a host's address. @throws TypeError for what is none */
export function encodeSockaddr(address: string): Buffer {
  const host = addressBytes(address);
  const family = host.length === 4 ? 4 : 6;
  const bytes = Buffer.alloc(family === 4 ? 16 : SOCKADDR_SIZE);
  bytes.writeUInt16LE(AF[family], 0);
  bytes.set(host, family === 4 ? 4 : 8);
  return bytes;
}

/** The address in the bytes, as text in its usual form. */
export function decodeSockaddr(bytes: Buffer): string {
  return addressText(bytes.readUInt16LE(0) === AF[4] ? bytes.subarray(4, 8) : bytes.subarray(8, 24));
}
