/** Fixed-size binary records, as BPF maps hold them. */

/** How a value stands in memory. Numbers are little-endian, as every machine we run on is, unless said otherwise. */
export interface Layout<T> {
  /** Bytes it takes. */
  readonly size: number;
  /** Writes all {@link size} bytes at an offset; the buffer holds zeros there. */
  write(buffer: Buffer, offset: number, value: T): void;
  /** Reads it back. */
  read(buffer: Buffer, offset: number): T;
}

/** One value by itself. */
export function encode<T>(layout: Layout<T>, value: T): Buffer {
  const buffer = Buffer.alloc(layout.size);
  layout.write(buffer, 0, value);
  return buffer;
}

/** A 32-bit number. */
export const U32: Layout<number> = {
  size: 4,
  write: (buffer, offset, value) => void buffer.writeUInt32LE(value, offset),
  read: (buffer, offset) => buffer.readUInt32LE(offset),
};
