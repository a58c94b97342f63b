/**
 * The identifiers of this process's ICMP sockets: 16 bits, random, no two alike. All share their upper half, by which the
 * kernel can keep the answers to one from the others (see socket.ts).
 */

const taken = new Set<number>();

/** An identifier, taken until disposed. */
export interface Identifier extends Disposable {
  readonly number: number;
}

/**
 * Takes one.
 *
 * @param random uniform in [0, 1)
 * @throws RangeError when all 256 are taken
 */
export function takeIdentifier(random: () => number): Identifier {
  const first = taken.values().next();
  const upper = first.done ? Math.floor(random() * 256) : first.value >>> 8;
  const start = Math.floor(random() * 256);
  for (let i = 0; i < 256; i += 1) {
    const number = (upper << 8) | ((start + i) & 0xff);
    if (taken.has(number)) continue;
    taken.add(number);
    return { number, [Symbol.dispose]: () => void taken.delete(number) };
  }
  throw new RangeError("Cannot probe more than 256 links in one process: every ICMP identifier is taken");
}
