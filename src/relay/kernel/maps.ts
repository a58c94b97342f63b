/**
 * The kernel plane's maps, one set for all interfaces. They are pinned, so that packets go on while the process that filled
 * them is not there, below a folder on a bpffs:
 *
 *     rules       the rows
 *     inputs      which kinds of rules each interface has
 *     counters    by slot, for each CPU
 *     buckets     by the slots of rules: what is left of the rates they are held to
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { type Layout, U32 } from "../../core/layout.ts";
import { possibleCpus } from "../../linux/bpf/cpus.ts";
import { BPF_F_NO_PREALLOC, BpfMap, MAP_TYPE, type MapSpec, perCpu } from "../../linux/bpf/map.ts";
import { ensureBpffs, openPin, pin, unpin } from "../../linux/bpf/pin.ts";
import { BUCKETS, COUNTERS_ROW, MAX_INPUTS, MAX_ROWS, RAW_KEY, RAW_RULE } from "./codec.ts";

/** The pins by the maps' names in the object file. */
export const MAP_PINS = {
  sluice_relay_rules: "rules",
  sluice_relay_inputs: "inputs",
  sluice_relay_counters: "counters",
  sluice_relay_buckets: "buckets",
} as const;
type MapName = keyof typeof MAP_PINS;

/** Where a map's pin is, in the folder of pins. */
export const mapPath = (pins: string, name: MapName): string => `${pins}/${MAP_PINS[name]}`;

function openMap<K, V>(path: string, spec: MapSpec, key: Layout<K>, value: Layout<V>): BpfMap<K, V> | undefined {
  const fd = openPin(path);
  if (!fd) return undefined;
  const map = new BpfMap(fd, key, value);
  const { type, keySize, valueSize, maxEntries } = map.info();
  const fits = type === spec.type && keySize === key.size && valueSize === value.size && maxEntries === spec.maxEntries;
  if (fits) return map;
  map[Symbol.dispose]();
  return undefined;
}

/** Opens the pinned map; makes one in its place when there is none, or one of a build with other rows. */
function ensureMap<K, V>(
  pins: string,
  name: MapName,
  spec: Omit<MapSpec, "name">,
  key: Layout<K>,
  value: Layout<V>,
): BpfMap<K, V> {
  const path = mapPath(pins, name);
  const whole = { ...spec, name };
  const there = openMap(path, whole, key, value);
  if (there) return there;
  using owned = new DisposableStack();
  const map = owned.use(BpfMap.create(whole, key, value));
  unpin(path);
  pin(map.fd.number, path);
  owned.move();
  return map;
}

/** The maps, held open until disposed. */
export class KernelMaps implements Disposable {
  readonly #owned: DisposableStack;
  /** Keys and values as bytes. */
  readonly rules: BpfMap<Buffer, Buffer>;
  readonly inputs: BpfMap<number, number>;
  /** For each slot the counters of each CPU. */
  readonly counters: BpfMap<number, number[][]>;
  readonly buckets: BpfMap<number, readonly [bits: bigint, packets: bigint]>;

  /**
   * Opens the pinned maps, and makes those that are not there.
   *
   * @param slots how many counters there are
   * @throws SluiceError BPF_PINS; SystemError
   */
  constructor(pins: string, slots: number) {
    // The folder above holds the pins of everything that is sluice's: a bpffs of its own is mounted there, once.
    ensureBpffs(dirname(pins));
    mkdirSync(pins, { recursive: true, mode: 0o700 });
    using owned = new DisposableStack();
    const hash = (maxEntries: number) => ({ type: MAP_TYPE.HASH, maxEntries, flags: BPF_F_NO_PREALLOC });
    this.rules = owned.use(ensureMap(pins, "sluice_relay_rules", hash(MAX_ROWS), RAW_KEY, RAW_RULE));
    this.inputs = owned.use(ensureMap(pins, "sluice_relay_inputs", hash(MAX_INPUTS), U32, U32));
    const array = { type: MAP_TYPE.PERCPU_ARRAY, maxEntries: slots };
    const one = owned.use(ensureMap(pins, "sluice_relay_counters", array, U32, COUNTERS_ROW));
    this.counters = new BpfMap(one.fd, U32, perCpu(COUNTERS_ROW, possibleCpus()));
    const buckets = { type: MAP_TYPE.ARRAY, maxEntries: slots };
    this.buckets = owned.use(ensureMap(pins, "sluice_relay_buckets", buckets, U32, BUCKETS));
    this.#owned = owned.move();
  }

  /** The kernel's numbers of them, by which a program's maps are told apart. */
  get ids(): number[] {
    return [this.rules, this.inputs, this.counters, this.buckets].map((map) => map.info().id);
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }
}
