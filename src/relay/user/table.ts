/**
 * Finds the rule of a packet among thousands, at the same cost: open addressing in typed arrays, nothing allocated. What is not
 * there is mostly told by one byte for each cell, which stay near the processor when the cells themselves do not.
 */
import type { Packet } from "./packet.ts";

/** What a rule matches. */
export interface TableKey {
  /** 4 or 16 bytes, network order. */
  readonly group: Uint8Array;
  /** 0: any. */
  readonly port: number;
  /** Undefined: any. */
  readonly source?: Uint8Array;
  /** 0: untagged. */
  readonly vlan: number;
}

interface Entry {
  readonly destination: Int32Array;
  readonly source: Int32Array;
  readonly ports: number;
  readonly value: number;
}

const ANY = new Int32Array(4);
const SMALLEST = 64;
const ANY_PORT = 1;
const ANY_SOURCE = 2;

function words(address: Uint8Array | undefined): Int32Array {
  const result = new Int32Array(4);
  if (!address) return result;
  const view = new DataView(address.buffer, address.byteOffset, address.byteLength);
  for (let i = 0; i < address.length; i += 4) result[i >>> 2] = view.getInt32(i);
  return result;
}

/** Port and VLAN in one word. */
const portsOf = (port: number, vlan: number): number => (vlan << 16) | port;

const kindOf = ({ source, ports }: Entry): number =>
  (source.every((word) => word === 0) ? ANY_SOURCE : 0) | ((ports & 0xffff) === 0 ? ANY_PORT : 0);

/** One of 128 numbers but 0, of bits that do not say where a cell is. */
const tagOf = (hash: number): number => (hash >>> 25) + 1;

/**
 * Rules of one family. Group and VLAN must be those of the packet; of source and port, what a rule leaves open matches all,
 * and the source is looked at before the port: (S, port), (S, any), (any, port), (any, any), the first that is there.
 */
export class RuleTable {
  /** Of an address. */
  readonly #words: number;
  /** Of a cell: destination, source, ports, value + 1. */
  readonly #stride: number;
  readonly #entries = new Map<string, Entry>();
  /** How many there are of each kind: one that there is none of is not looked for. */
  readonly #kinds = [0, 0, 0, 0];
  #cells: Int32Array;
  /** Of each cell: 0 when it is empty, else {@link tagOf} its hash. */
  #tags = new Uint8Array(SMALLEST);
  #mask = SMALLEST - 1;
  /** Cells that are full: fewer than rules where one stands in place of another. */
  #full = 0;

  constructor(family: 4 | 6) {
    this.#words = family === 4 ? 1 : 4;
    this.#stride = 2 * this.#words + 2;
    this.#cells = new Int32Array(SMALLEST * this.#stride);
  }

  /** How many rules there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** Adds a rule, or replaces it. Of two that match the same, the one that was set last is found. @param value 0 or more */
  set(id: string, { group, port, source, vlan }: TableKey, value: number): void {
    this.delete(id);
    const entry = { destination: words(group), source: words(source), ports: portsOf(port, vlan), value };
    this.#entries.set(id, entry);
    this.#kinds[kindOf(entry)]! += 1;
    if (2 * this.#entries.size > this.#mask + 1) this.#rebuild(2 * (this.#mask + 1));
    else this.#put(entry);
  }

  /** Removes a rule. @returns whether it was there */
  delete(id: string): boolean {
    const entry = this.#entries.get(id);
    if (!entry) return false;
    this.#entries.delete(id);
    this.#kinds[kindOf(entry)]! -= 1;
    const { destination, source, ports, value } = entry;
    const cell = this.#find(destination, source, ports, this.#hash(destination), this.#hash(source));
    // What another rule stands in place of stays where it is.
    if (cell < 0 || this.#cells[cell + this.#stride - 1] !== value + 1) return true;
    this.#remove(cell / this.#stride);
    if (this.#full === this.#entries.size) return true;
    for (const other of this.#entries.values()) {
      if (other.ports === ports && same(other.destination, destination) && same(other.source, source)) this.#put(other);
    }
    return true;
  }

  /** The value of the rule that a packet is for; -1: none. */
  lookup({ destination, source, port, vlan }: Packet): number {
    const kinds = this.#kinds;
    const any = portsOf(0, vlan);
    const exact = any | port;
    const group = this.#hash(destination);
    let cell = -1;
    if (kinds[0]! + kinds[ANY_PORT]! > 0) {
      const sender = this.#hash(source);
      if (kinds[0]! > 0) cell = this.#find(destination, source, exact, group, sender);
      if (cell < 0 && kinds[ANY_PORT]! > 0) cell = this.#find(destination, source, any, group, sender);
    }
    if (cell < 0 && kinds[ANY_SOURCE]! > 0) cell = this.#find(destination, ANY, exact, group, 0);
    if (cell < 0 && kinds[ANY_SOURCE | ANY_PORT]! > 0) cell = this.#find(destination, ANY, any, group, 0);
    return cell < 0 ? -1 : this.#cells[cell + this.#stride - 1]! - 1;
  }

  /** Of an address, which is hashed once for all that is looked for; 0 for one of zeros. */
  #hash(address: Int32Array): number {
    let hash = 0;
    for (let i = 0; i < this.#words; i += 1) hash = Math.imul(hash ^ (hash >>> 15) ^ address[i]!, 0x85ebca77);
    return hash;
  }

  /** Of a key; its low bits are where it is at home. */
  #mix(group: number, sender: number, ports: number): number {
    const hash = Math.imul(
      group ^ (group >>> 16) ^ Math.imul(sender, 0xc2b2ae3d) ^ Math.imul(ports, 0x9e3779b1),
      0x27d4eb2f,
    );
    return hash ^ (hash >>> 15);
  }

  /** Index of a cell's first word; -1: there is none. */
  #find(destination: Int32Array, source: Int32Array, ports: number, group: number, sender: number): number {
    const cells = this.#cells;
    const tags = this.#tags;
    const stride = this.#stride;
    const count = this.#words;
    const hash = this.#mix(group, sender, ports);
    const wanted = tagOf(hash);
    for (let index = hash & this.#mask; ; index = (index + 1) & this.#mask) {
      const tag = tags[index]!;
      if (tag === 0) return -1;
      if (tag !== wanted) continue;
      const cell = index * stride;
      if (cells[cell + stride - 2] !== ports) continue;
      let i = 0;
      while (i < count && cells[cell + i] === destination[i] && cells[cell + count + i] === source[i]) i += 1;
      if (i === count) return cell;
    }
  }

  #put({ destination, source, ports, value }: Entry): void {
    const [group, sender] = [this.#hash(destination), this.#hash(source)];
    let cell = this.#find(destination, source, ports, group, sender);
    if (cell < 0) {
      const hash = this.#mix(group, sender, ports);
      let index = hash & this.#mask;
      while (this.#tags[index] !== 0) index = (index + 1) & this.#mask;
      this.#tags[index] = tagOf(hash);
      cell = index * this.#stride;
      this.#full += 1;
    }
    const count = this.#words;
    this.#cells.set(destination.subarray(0, count), cell);
    this.#cells.set(source.subarray(0, count), cell + count);
    this.#cells[cell + 2 * count] = ports;
    this.#cells[cell + 2 * count + 1] = value + 1;
  }

  /** Empties a cell, and moves up what would no longer be found behind it. */
  #remove(start: number): void {
    const cells = this.#cells;
    const tags = this.#tags;
    const stride = this.#stride;
    let hole = start;
    for (let index = (hole + 1) & this.#mask; tags[index] !== 0; index = (index + 1) & this.#mask) {
      const cell = index * stride;
      const count = this.#words;
      const group = this.#hash(cells.subarray(cell, cell + count));
      const sender = this.#hash(cells.subarray(cell + count, cell + 2 * count));
      const home = this.#mix(group, sender, cells[cell + 2 * count]!) & this.#mask;
      if (((index - home) & this.#mask) < ((index - hole) & this.#mask)) continue;
      cells.copyWithin(hole * stride, cell, cell + stride);
      tags[hole] = tags[index]!;
      hole = index;
    }
    tags[hole] = 0;
    this.#full -= 1;
  }

  #rebuild(size: number): void {
    this.#mask = size - 1;
    this.#full = 0;
    this.#cells = new Int32Array(size * this.#stride);
    this.#tags = new Uint8Array(size);
    for (const entry of this.#entries.values()) this.#put(entry);
  }
}

const same = (a: Int32Array, b: Int32Array): boolean => a.every((word, index) => word === b[index]);
