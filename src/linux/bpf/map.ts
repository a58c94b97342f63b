/** BPF maps: typed rows, one by one or thousands per system call where the kernel can. */
import { encode, type Layout } from "../../core/layout.ts";
import { ERRNO } from "../errno.ts";
import { Fd } from "../fd.ts";
import { mapInfo, type MapInfo } from "./info.ts";
import { BpfAttribute, bpf, bpfError, isUnsupported, tryBpf } from "./syscall.ts";

/** Map types by the kernel's names. */
export const MAP_TYPE = { HASH: 1, ARRAY: 2, PROG_ARRAY: 3, PERCPU_ARRAY: 6, LPM_TRIE: 11, ARRAY_OF_MAPS: 12 } as const;
/** Memory is taken row by row; LPM tries know no other way. */
export const BPF_F_NO_PREALLOC = 1;

/** What a new map shall be. */
export interface MapSpec {
  /** One of {@link MAP_TYPE}. */
  readonly type: number;
  /** At most 15 letters, digits, `_` or `.`. */
  readonly name: string;
  readonly maxEntries: number;
  readonly flags?: number;
  /** For maps of maps: one like those it will hold. */
  readonly inner?: Fd;
}

/** Rows per batch call: large enough that the call itself costs nothing, small enough for the kernel's scratch memory. */
const BATCH = 4096;
/** Bytes that are set aside to read a batch; large values come in fewer rows at a time. */
const READ_BYTES = 2 ** 20;
/** Never fewer: all rows of a hash's bucket come at once, or none (ENOSPC). */
const LEAST_BATCH = 64;

/** How often a row is tried for want of memory, and milliseconds in between: some ticks of the slowest clock, 100 Hz. */
const TRIES = 20;
const PAUSE = 5;
/** What is said of a read that may go well when it is asked again: EAGAIN has been seen once, the others kernels say of a busy hash. */
const PASSING: ReadonlySet<number> = new Set([-ERRNO.EAGAIN, -ERRNO.EBUSY, -ERRNO.EINTR]);
const pause = new Int32Array(new SharedArrayBuffer(4));

/** A map, held open until disposed. Methods throw SystemError when the kernel refuses. */
export class BpfMap<K, V> implements Disposable {
  readonly fd: Fd;
  readonly key: Layout<K>;
  readonly value: Layout<V>;

  /** Takes over a descriptor. For per-CPU maps the value's layout is that of `perCpu`. */
  constructor(fd: Fd, key: Layout<K>, value: Layout<V>) {
    this.fd = fd;
    this.key = key;
    this.value = value;
  }

  /** Makes a new map. A per-CPU map's value layout spans all CPUs: make those through libbpf. */
  static create<K, V>(spec: MapSpec, key: Layout<K>, value: Layout<V>): BpfMap<K, V> {
    const attribute = new BpfAttribute()
      .u32(0, spec.type)
      .u32(4, key.size)
      .u32(8, value.size)
      .u32(12, spec.maxEntries)
      .u32(16, spec.flags ?? 0)
      .u32(20, spec.inner?.number ?? 0);
    attribute.bytes.write(spec.name.slice(0, 15), 28, "latin1");
    return new BpfMap(new Fd(bpf("MAP_CREATE", attribute, spec.name)), key, value);
  }

  /** Describes it. */
  info(): MapInfo {
    return mapInfo(this.fd.number);
  }

  /** The value of a key; undefined when there is none. For LPM tries: of the longest prefix that covers the key. */
  get(key: K): V | undefined {
    const value = Buffer.alloc(this.value.size);
    const result = tryBpf("MAP_LOOKUP_ELEM", this.#element(key).pointer(16, value));
    if (result === -ERRNO.ENOENT) return undefined;
    if (result < 0) throw bpfError("MAP_LOOKUP_ELEM", -result);
    return this.value.read(value, 0);
  }

  /**
   * Adds or overwrites a row. Waits for memory for up to a tenth of a second.
   *
   * @throws SystemError ENOSPC when the map is full
   */
  set(key: K, value: V): void {
    const attribute = this.#element(key).pointer(16, encode(this.value, value));
    for (let tries = TRIES; ; tries -= 1) {
      const result = tryBpf("MAP_UPDATE_ELEM", attribute);
      if (result >= 0) return;
      if (result !== -ERRNO.ENOMEM || tries === 1) throw bpfError("MAP_UPDATE_ELEM", -result);
      // The reserve for atomic allocations ran dry; where no interrupt can be raised for it, the next tick refills it.
      Atomics.wait(pause, 0, 0, PAUSE);
    }
  }

  /** Removes a row; false when there was none. */
  delete(key: K): boolean {
    const result = tryBpf("MAP_DELETE_ELEM", this.#element(key));
    if (result < 0 && result !== -ERRNO.ENOENT) throw bpfError("MAP_DELETE_ELEM", -result);
    return result >= 0;
  }

  /** Adds or overwrites rows in their order. Stops at the first that the kernel refuses. */
  setAll(rows: readonly (readonly [K, V])[]): void {
    for (let from = 0; from < rows.length; from += BATCH) {
      const part = rows.slice(from, from + BATCH);
      const keys = Buffer.alloc(part.length * this.key.size);
      const values = Buffer.alloc(part.length * this.value.size);
      part.forEach(([key, value], index) => {
        this.key.write(keys, index * this.key.size, key);
        this.value.write(values, index * this.value.size, value);
      });
      const attribute = this.#batch(part.length).pointer(16, keys).pointer(24, values);
      const result = tryBpf("MAP_UPDATE_BATCH", attribute);
      // ENOMEM: the reserve for atomic allocations ran dry within the batch; the kernel refills it between calls.
      if (isUnsupported(result) || result === -ERRNO.ENOMEM) for (const [key, value] of part) this.set(key, value);
      else if (result < 0) throw bpfError("MAP_UPDATE_BATCH", -result);
    }
  }

  /** Removes rows, those that are not there too. */
  deleteAll(keys: readonly K[]): void {
    let from = 0;
    while (from < keys.length) {
      const part = keys.slice(from, from + BATCH);
      const bytes = Buffer.alloc(part.length * this.key.size);
      part.forEach((key, index) => this.key.write(bytes, index * this.key.size, key));
      const attribute = this.#batch(part.length).pointer(16, bytes);
      const result = tryBpf("MAP_DELETE_BATCH", attribute);
      if (isUnsupported(result)) for (const key of part) this.delete(key);
      else if (result < 0 && result !== -ERRNO.ENOENT) throw bpfError("MAP_DELETE_BATCH", -result);
      // A missing key ends the batch there; the count says how many went before it.
      from += result === -ERRNO.ENOENT ? attribute.bytes.readUInt32LE(32) + 1 : part.length;
    }
  }

  /**
   * All rows, or the first ones. Rows that others add or remove meanwhile may be in it or not.
   *
   * @param most enough of them; there may be more
   */
  entries(most = Number.POSITIVE_INFINITY): [K, V][] {
    if (most <= 0) return [];
    return this.#entriesByBatch(most) ?? this.#entriesOneByOne(most);
  }

  #entriesByBatch(most: number): [K, V][] | undefined {
    const rows: [K, V][] = [];
    const row = this.key.size + this.value.size;
    const size = Math.min(BATCH, Math.max(LEAST_BATCH, Math.min(most, Math.floor(READ_BYTES / row))));
    const keys = Buffer.alloc(size * this.key.size);
    const values = Buffer.alloc(size * this.value.size);
    // Cursors are keys, or for hashes numbers of buckets: where to begin, and where to go on.
    let [cursor, next] = [Buffer.alloc(Math.max(this.key.size, 4)), Buffer.alloc(Math.max(this.key.size, 4))];
    let tries = 1;
    for (let first = true, result = 0; result >= 0 && rows.length < most;) {
      const attribute = this.#batch(size).pointer(8, next).pointer(16, keys).pointer(24, values);
      if (!first) attribute.pointer(0, cursor);
      result = tryBpf("MAP_LOOKUP_BATCH", attribute);
      if (first && isUnsupported(result)) return undefined;
      if (PASSING.has(result) && tries < TRIES) {
        tries += 1;
        result = 0;
        continue;
      }
      if (result < 0 && result !== -ERRNO.ENOENT) throw bpfError("MAP_LOOKUP_BATCH", -result);
      [cursor, next] = [next, cursor];
      first = false;
      const count = attribute.bytes.readUInt32LE(32);
      for (let i = 0; i < count; i += 1)
        rows.push([this.key.read(keys, i * this.key.size), this.value.read(values, i * this.value.size)]);
    }
    return rows;
  }

  #entriesOneByOne(most: number): [K, V][] {
    const rows: [K, V][] = [];
    let before: Buffer | undefined;
    for (;;) {
      const key = Buffer.alloc(this.key.size);
      const attribute = this.#attribute().pointer(16, key);
      if (before) attribute.pointer(8, before);
      const result = tryBpf("MAP_GET_NEXT_KEY", attribute);
      if (result === -ERRNO.ENOENT) return rows;
      if (result < 0) throw bpfError("MAP_GET_NEXT_KEY", -result);
      const value = Buffer.alloc(this.value.size);
      const found = tryBpf("MAP_LOOKUP_ELEM", this.#attribute().pointer(8, key).pointer(16, value));
      if (found >= 0) rows.push([this.key.read(key, 0), this.value.read(value, 0)]);
      before = key;
      if (rows.length >= most) return rows;
    }
  }

  #attribute(): BpfAttribute {
    return new BpfAttribute().u32(0, this.fd.number);
  }

  #element(key: K): BpfAttribute {
    return this.#attribute().pointer(8, encode(this.key, key));
  }

  #batch(count: number): BpfAttribute {
    return new BpfAttribute().u32(32, count).u32(36, this.fd.number);
  }

  [Symbol.dispose](): void {
    this.fd[Symbol.dispose]();
  }
}

/** The layout of a per-CPU map's rows as user space sees them: one value per possible CPU, each padded to 8 bytes. */
export function perCpu<T>(layout: Layout<T>, cpus: number): Layout<T[]> {
  const stride = (layout.size + 7) & ~7;
  return {
    size: stride * cpus,
    write: (buffer, offset, values) =>
      values.forEach((value, cpu) => layout.write(buffer, offset + cpu * stride, value)),
    read: (buffer, offset) => Array.from({ length: cpus }, (_, cpu) => layout.read(buffer, offset + cpu * stride)),
  };
}
