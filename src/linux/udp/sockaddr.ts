/** struct sockaddr_in, sockaddr_in6 and sockaddr_ll, of addresses as bytes. Pure. */

/** AF_INET and AF_INET6. */
export const AF = { 4: 2, 6: 10 } as const;
const AF_PACKET = 17;
const ETH_P = { 4: 0x0800, 6: 0x86dd } as const;

/** The IP version of an address. @param address 4 or 16 bytes */
export const familyOf = (address: Uint8Array): 4 | 6 => (address.length === 4 ? 4 : 6);

/** Where packets to a port of an address go. @param ifindex for addresses that are of a link only */
export function inetAddress(address: Uint8Array, port: number, ifindex: number): Buffer {
  const family = familyOf(address);
  const bytes = Buffer.alloc(family === 4 ? 16 : 28);
  bytes.writeUInt16LE(AF[family], 0);
  bytes.writeUInt16BE(port, 2);
  bytes.set(address, family === 4 ? 4 : 8);
  // sin6_scope_id; not looked at when the address is not of a link.
  if (family === 6) bytes.writeUInt32LE(ifindex, 24);
  return bytes;
}

/** Which interface frames leave by, and what is in them: for sockets that are given whole frames. */
export function linkAddress(family: 4 | 6, ifindex: number): Buffer {
  const bytes = Buffer.alloc(20);
  bytes.writeUInt16LE(AF_PACKET, 0);
  bytes.writeUInt16BE(ETH_P[family], 2);
  bytes.writeInt32LE(ifindex, 4);
  return bytes;
}
