/** The kernel plane's program: the object file, and what is read back from the kernel. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { U32 } from "../../core/layout.ts";
import type { TcProgram } from "../../core/tc-place.ts";
import { mapInfo, openMapById, openProgramById, programInfo } from "../../linux/bpf/info.ts";
import { BpfMap } from "../../linux/bpf/map.ts";
import { encodeConfig } from "./codec.ts";
import { MAP_PINS, mapPath } from "./maps.ts";

const OBJECT = new URL("../../../bpf/relay.bpf.o", import.meta.url);
/** The name of the function. */
export const RELAY_NAME = "sluice_relay";

interface ObjectFile {
  readonly image: Buffer;
  /** The beginning of its SHA-256. */
  readonly buildId: number;
}

let cached: ObjectFile | undefined;
function objectFile(): ObjectFile {
  if (cached) return cached;
  const image = readFileSync(OBJECT);
  cached = { image, buildId: createHash("sha256").update(image).digest().readUInt32LE(0) };
  return cached;
}

/** The program, to be put on an interface, on the maps pinned below a folder. */
export function relayProgram(pins: string): TcProgram {
  const { image, buildId } = objectFile();
  const names = Object.keys(MAP_PINS) as (keyof typeof MAP_PINS)[];
  return {
    image,
    label: "relay.bpf.o",
    name: RELAY_NAME,
    globals: { config: encodeConfig(buildId).toString("hex") },
    reuse: Object.fromEntries(names.map((name) => [name, mapPath(pins, name)])),
  };
}

/** The build that a program says it is of; undefined when it says nothing. */
function buildOf(mapIds: readonly number[]): number | undefined {
  for (const id of mapIds) {
    using fd = openMapById(id);
    if (!fd) continue;
    const { name, valueSize } = mapInfo(fd.number);
    if (name.endsWith(".rodata") && valueSize === U32.size) return new BpfMap(fd, U32, U32).get(0);
  }
  return undefined;
}

/** Whether a program in the kernel is of this installation's build and runs on these maps. */
export function isCurrent(programId: number, maps: readonly number[]): boolean {
  using program = openProgramById(programId);
  if (!program) return false;
  const { mapIds } = programInfo(program.number);
  return maps.every((id) => mapIds.includes(id)) && buildOf(mapIds) === objectFile().buildId;
}
