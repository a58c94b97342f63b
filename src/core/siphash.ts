/** SipHash-1-3 (Aumasson, Bernstein 2012) with a key of zeros: a hash that others have, to be equal to theirs. */

const MASK = (1n << 64n) - 1n;
const rotate = (x: bigint, bits: bigint): bigint => ((x << bits) | (x >> (64n - bits))) & MASK;

class SipState {
  // "somepseudorandomlygeneratedbytes", which the key of zeros leaves as it is.
  v0 = 0x736f6d6570736575n;
  v1 = 0x646f72616e646f6dn;
  v2 = 0x6c7967656e657261n;
  v3 = 0x7465646279746573n;

  round(): void {
    this.v0 = (this.v0 + this.v1) & MASK;
    this.v1 = rotate(this.v1, 13n) ^ this.v0;
    this.v0 = rotate(this.v0, 32n);
    this.v2 = (this.v2 + this.v3) & MASK;
    this.v3 = rotate(this.v3, 16n) ^ this.v2;
    this.v0 = (this.v0 + this.v3) & MASK;
    this.v3 = rotate(this.v3, 21n) ^ this.v0;
    this.v2 = (this.v2 + this.v1) & MASK;
    this.v1 = rotate(this.v1, 17n) ^ this.v2;
    this.v2 = rotate(this.v2, 32n);
  }

  /** Takes 8 bytes in: one round per word. */
  word(word: bigint): void {
    this.v3 ^= word;
    this.round();
    this.v0 ^= word;
  }

  /** Three rounds at the end. */
  finish(): bigint {
    this.v2 ^= 0xffn;
    for (let i = 0; i < 3; i += 1) this.round();
    return this.v0 ^ this.v1 ^ this.v2 ^ this.v3;
  }
}

/** The hash of bytes, 64 bits without sign. */
export function sipHash13(bytes: Uint8Array): bigint {
  const padded = Buffer.alloc(8 * (Math.floor(bytes.length / 8) + 1));
  padded.set(bytes);
  // The last byte of the last word holds the length.
  padded[padded.length - 1] = bytes.length & 0xff;
  const state = new SipState();
  for (let at = 0; at < padded.length; at += 8) state.word(padded.readBigUInt64LE(at));
  return state.finish();
}
