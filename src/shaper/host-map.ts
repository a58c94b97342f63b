/** The classifier's table in the kernel: a map of one slot that holds the map of hosts in use. */
import { type Layout, U32 } from "../core/layout.ts";
import type { Prefix } from "../core/prefix.ts";
import { openMapById } from "../linux/bpf/info.ts";
import { BPF_F_NO_PREALLOC, BpfMap, MAP_TYPE } from "../linux/bpf/map.ts";
import { openPin, pin, unpin } from "../linux/bpf/pin.ts";
import { ERRNO, SystemError } from "../linux/errno.ts";
import type { Fd } from "../linux/fd.ts";
import { HOST, HOST_KEY, type Host, hostEntry, hostRow, tableSize } from "./classifier-codec.ts";
import type { HostEntry, HostTable } from "./model.ts";

/** Its name in the object file. */
export const HOSTS_NAME = "sluice_hosts";

type Table = BpfMap<Prefix, Host>;
const SLOT = 0;

/** Maps of maps take a descriptor and give an id. */
const INNER: Layout<number> = U32;

/** The table that all devices of a link share, held open until disposed. Methods throw SystemError. */
export class HostMap implements Disposable {
  readonly #slot: BpfMap<number, number>;

  private constructor(fd: Fd) {
    this.#slot = new BpfMap(fd, U32, INNER);
  }

  /** Opens the pinned one; undefined when there is none, or one of a build with other rows. */
  static open(path: string): HostMap | undefined {
    const fd = openPin(path);
    if (!fd) return undefined;
    const map = new HostMap(fd);
    if (map.#fits()) return map;
    map[Symbol.dispose]();
    return undefined;
  }

  /** Makes one with nothing in its slot, and pins it in the place of whatever is pinned there. */
  static create(path: string): HostMap {
    using like = newTable(1);
    const spec = { type: MAP_TYPE.ARRAY_OF_MAPS, name: HOSTS_NAME, maxEntries: 1, inner: like.fd };
    const map = new HostMap(BpfMap.create(spec, U32, INNER).fd);
    map.pin(path);
    return map;
  }

  /** Pins it in the place of whatever is pinned there. */
  pin(path: string): void {
    unpin(path);
    pin(this.#slot.fd.number, path);
  }

  /** Its descriptor, for loading programs. */
  get fd(): Fd {
    return this.#slot.fd;
  }

  /** The kernel's number of it, by which a program's maps are told apart. */
  get id(): number {
    return this.#slot.info().id;
  }

  /** All rows; undefined while the slot is empty. */
  read(): HostTable | undefined {
    using table = this.#table();
    if (!table) return undefined;
    return new Map(table.entries().map((row) => [row[0].key, hostEntry(row)]));
  }

  /** Adds or overwrites rows; moves to a larger table when they do not fit. */
  set(entries: readonly HostEntry[]): void {
    using table = this.#table();
    if (!table) return this.swap(entries);
    try {
      table.setAll(entries.map(hostRow));
    } catch (error) {
      if (!(error instanceof SystemError) || error.errno !== ERRNO.ENOSPC) throw error;
      const all = new Map(table.entries().map((row) => [row[0].key, hostEntry(row)]));
      for (const entry of entries) all.set(entry.prefix.key, entry);
      this.swap([...all.values()]);
    }
  }

  /** Removes rows, and lets those be that are not there. */
  delete(entries: readonly HostEntry[]): void {
    using table = this.#table();
    table?.deleteAll(entries.map((entry) => entry.prefix));
  }

  /** Fills a new table aside and puts it in the slot: every packet meets the old table or the new one, whole. */
  swap(entries: readonly HostEntry[]): void {
    using table = newTable(tableSize(entries.length));
    table.setAll(entries.map(hostRow));
    this.#slot.set(SLOT, table.fd.number);
  }

  #table(): Table | undefined {
    const id = this.#slot.get(SLOT);
    const fd = id === undefined ? undefined : openMapById(id);
    return fd && new BpfMap(fd, HOST_KEY, HOST);
  }

  #fits(): boolean {
    const { type, maxEntries } = this.#slot.info();
    if (type !== MAP_TYPE.ARRAY_OF_MAPS || maxEntries !== 1) return false;
    using table = this.#table();
    if (!table) return true;
    const { keySize, valueSize } = table.info();
    return keySize === HOST_KEY.size && valueSize === HOST.size;
  }

  [Symbol.dispose](): void {
    this.#slot[Symbol.dispose]();
  }
}

const newTable = (maxEntries: number): Table =>
  BpfMap.create(
    { type: MAP_TYPE.LPM_TRIE, name: "sluice_table", maxEntries, flags: BPF_F_NO_PREALLOC },
    HOST_KEY,
    HOST,
  );
