/** The classifier's program: loaded from the object file, and read back from the kernel. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { U32 } from "../core/layout.ts";
import type { TcProgram } from "../core/tc-place.ts";
import { possibleCpus } from "../linux/bpf/cpus.ts";
import { mapInfo, openMapById, openProgramById, programInfo } from "../linux/bpf/info.ts";
import { BpfMap, perCpu } from "../linux/bpf/map.ts";
import type { Fd } from "../linux/fd.ts";
import {
  COUNTER,
  type Counter,
  encodeReadOnlyData,
  OUTCOMES,
  READ_ONLY_DATA,
  type ReadOnlyData,
} from "./classifier-codec.ts";
import type { ClassifierConfig } from "./model.ts";

const OBJECT = new URL("../../bpf/classifier.bpf.o", import.meta.url);
/** The name of the map of counters. */
export const OUTCOMES_NAME = "sluice_outcomes";

/** The name of the function. */
export const CLASSIFIER_NAME = "sluice_classify";

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

/** The program with its configuration, to be put on a device. */
export function classifierProgram(config: ClassifierConfig, bareIp: boolean): Omit<TcProgram, "reuse"> {
  const { image, buildId } = objectFile();
  const data = encodeReadOnlyData({ config, bareIp, buildId });
  return { image, label: "classifier.bpf.o", name: CLASSIFIER_NAME, globals: { config: data.toString("hex") } };
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

/** The descriptor of a program's counters; undefined when it or they are gone. */
export function openOutcomes(programId: number): Fd | undefined {
  using program = openProgramById(programId);
  for (const id of program ? programInfo(program.number).mapIds : []) {
    const fd = openMapById(id);
    if (fd && mapInfo(fd.number).name === OUTCOMES_NAME) return fd;
    fd?.[Symbol.dispose]();
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
