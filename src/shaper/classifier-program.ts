/** The classifier's program: loaded from the object file, and read back from the kernel. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { U32 } from "../core/layout.ts";
import { possibleCpus } from "../linux/bpf/cpus.ts";
import { mapInfo, openMapById, openProgramById, programInfo } from "../linux/bpf/info.ts";
import { BpfMap, perCpu } from "../linux/bpf/map.ts";
import { BpfObject } from "../linux/bpf/object.ts";
import type { Fd } from "../linux/fd.ts";
import {
  COUNTER,
  type Counter,
  encodeReadOnlyData,
  OUTCOMES,
  READ_ONLY_DATA,
  type ReadOnlyData,
} from "./classifier-codec.ts";
import { CLASSIFIER_NAME } from "./egress-hook.ts";
import { HOSTS_NAME } from "./host-map.ts";
import type { ClassifierConfig } from "./model.ts";

const OBJECT = new URL("../../bpf/classifier.bpf.o", import.meta.url);
const OUTCOMES_NAME = "sluice_outcomes";

interface ObjectFile {
  readonly image: Buffer;
  readonly buildId: number;
}

let cached: ObjectFile | undefined;
function objectFile(): ObjectFile {
  if (cached) return cached;
  const image = readFileSync(OBJECT);
  cached = { image, buildId: createHash("sha256").update(image).digest().readUInt32LE(0) };
  return cached;
}

/** Which build of the program this installation has: the beginning of the object file's SHA-256. */
export const classifierBuildId = (): number => objectFile().buildId;

/** What a program shares with others. */
export interface SharedMaps {
  /** The hosts. */
  readonly hosts: Fd;
  /** Counters to go on counting in; the program gets new ones when left out. */
  readonly outcomes?: Fd | undefined;
}

/** A loaded program, which is gone when this is disposed unless a filter runs it by then. */
export class ClassifierProgram implements Disposable {
  readonly #object: BpfObject;

  private constructor(object: BpfObject) {
    this.#object = object;
  }

  /** Loads the program with its configuration. @throws BpfLoadError */
  static load(config: ClassifierConfig, bareIp: boolean, maps: SharedMaps): ClassifierProgram {
    const { image, buildId } = objectFile();
    const object = BpfObject.open("sluice", image);
    try {
      object.setReadOnlyData(encodeReadOnlyData({ config, bareIp, buildId }));
      object.reuseMap(HOSTS_NAME, maps.hosts);
      if (maps.outcomes) object.reuseMap(OUTCOMES_NAME, maps.outcomes);
      object.load();
      return new ClassifierProgram(object);
    } catch (error) {
      object[Symbol.dispose]();
      throw error;
    }
  }

  /** Its descriptor, as long as this lives. */
  get fd(): number {
    return this.#object.programFd(CLASSIFIER_NAME);
  }

  /** The descriptor of its counters, as long as this lives. */
  get outcomesFd(): number {
    return this.#object.mapFd(OUTCOMES_NAME);
  }

  [Symbol.dispose](): void {
    this.#object[Symbol.dispose]();
  }
}

/** A program in the kernel. */
export interface LoadedProgram extends ReadOnlyData {
  /** The kernel's numbers of the maps it uses. */
  readonly mapIds: readonly number[];
}

/** Reads a program by its number; undefined when it is gone or its read-only data is not of our layout. */
export function readProgram(id: number): LoadedProgram | undefined {
  using program = openProgramById(id);
  if (!program) return undefined;
  const { mapIds } = programInfo(program.number);
  for (const mapId of mapIds) {
    const fd = openMapById(mapId);
    if (!fd) continue;
    using map = new BpfMap(fd, U32, READ_ONLY_DATA);
    const { name, valueSize } = mapInfo(fd.number);
    if (!name.endsWith(".rodata") || valueSize !== READ_ONLY_DATA.size) continue;
    const data = map.get(0);
    return data && { ...data, mapIds };
  }
  return undefined;
}

/**
 * The counters of a program: for each outcome one value per CPU. Takes over the descriptor; undefined, and it is closed,
 * when the map is one of a build that counts otherwise.
 */
export function outcomesMap(fd: Fd): BpfMap<number, Counter[]> | undefined {
  const { valueSize, maxEntries } = mapInfo(fd.number);
  if (valueSize === COUNTER.size && maxEntries === OUTCOMES.length)
    return new BpfMap(fd, U32, perCpu(COUNTER, possibleCpus()));
  fd[Symbol.dispose]();
  return undefined;
}
