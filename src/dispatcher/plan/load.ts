/** Loading programs of an object file. */
import { type Bound, ref } from "../../core/binding.ts";
import { sluiceError } from "../../core/errors.ts";
import type { LoadItem, NewProgram } from "../actions.ts";
import type { ProgramSource, ProgramType, State } from "../model.ts";
import type { Segment } from "./segment.ts";

/** One program as it was asked for, `TYPE:FUNCTION[:ATTACH]`. */
export interface ProgramRequest {
  readonly type: ProgramType;
  readonly name: string;
  readonly attachFunction?: string;
}

/** What an object file holds, read without the kernel. */
export interface ObjectFacts {
  /** SHA-256 in hex. */
  readonly digest: string;
  readonly license: string;
  readonly programs: readonly { readonly name: string; readonly section: string; readonly frags: boolean }[];
  readonly maps: readonly { readonly name: string; readonly shared: boolean }[];
  /** Whether there is a table of programs to jump to. */
  readonly tailCalls: boolean;
  /** Global variables and their sizes in bytes. */
  readonly globals: ReadonlyMap<string, number>;
}

/** What the user wants loaded. */
export interface LoadRequest {
  /** For errors and plans: the file's path, the image's name. */
  readonly label: string;
  readonly source: ProgramSource;
  readonly programs: readonly ProgramRequest[];
  /** Hex by name. */
  readonly globals: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly owner?: string;
  /** Share the maps of this program's set. */
  readonly mapOwner?: number;
  /** Maps to take from pins elsewhere: absolute paths by name. */
  readonly reuse?: Readonly<Record<string, string>>;
}

/** Types by the family of an ELF section; what stands in one line is the same to the kernel. */
const FAMILIES: readonly (readonly [section: RegExp, types: readonly ProgramType[]])[] = [
  [/^xdp(\.frags)?(\/|$)/, ["xdp"]],
  [/^(tc|tcx|classifier|action)(\/|$)/, ["tc", "tcx"]],
  [/^(tracepoint|tp)(\/|$)/, ["tracepoint"]],
  [/^k(ret)?probe(\/|$)/, ["kprobe", "kretprobe"]],
  [/^u(ret)?probe(\.s)?(\/|$)/, ["uprobe", "uretprobe"]],
  [/^fentry(\.s)?(\/|$)/, ["fentry"]],
  [/^fexit(\.s)?(\/|$)/, ["fexit"]],
];

/** The types that a section's programs can be loaded as. */
const typesOfSection = (section: string): readonly ProgramType[] =>
  FAMILIES.find(([pattern]) => pattern.test(section))?.[1] ?? [];

function checkProgram(request: ProgramRequest, facts: ObjectFacts, label: string): void {
  const found = facts.programs.find(({ name }) => name === request.name);
  if (!found) {
    const names = facts.programs.map(({ name }) => name).join(", ") || "none";
    throw sluiceError("OBJECT_PROGRAM_MISSING", { name: request.name, object: label, names });
  }
  const types = typesOfSection(found.section);
  if (!types.includes(request.type))
    throw sluiceError("OBJECT_TYPE_MISMATCH", {
      name: request.name,
      type: request.type,
      section: found.section,
      implied: types.join(" or ") || "a type that sluice does not load",
    });
}

function checkGlobals(globals: Readonly<Record<string, string>>, facts: ObjectFacts, label: string): void {
  for (const [name, hex] of Object.entries(globals)) {
    const size = facts.globals.get(name);
    if (size === undefined) {
      const names = [...facts.globals.keys()].join(", ") || "none";
      throw sluiceError("OBJECT_GLOBAL_UNKNOWN", { name, object: label, names });
    }
    if (hex.length !== 2 * size)
      throw sluiceError("OBJECT_GLOBAL_SIZE", { name, actual: hex.length / 2, wanted: size });
  }
}

/** What stands in a plan for the kernel's id of the n-th program. */
export const programBinding = (index: number): string => `program:${index}`;

/** A segment, with the rows of its programs. */
export interface LoadSegment extends Segment {
  readonly programs: readonly NewProgram[];
}

/**
 * Plans to load programs: all of them, or none. The first owns the maps, unless they are shared with a program that was
 * loaded earlier.
 *
 * @throws SluiceError OBJECT_PROGRAM_MISSING, OBJECT_TYPE_MISMATCH, OBJECT_GLOBAL_UNKNOWN, OBJECT_GLOBAL_SIZE,
 * MAP_OWNER_UNKNOWN
 */
export function planLoad(request: LoadRequest, facts: ObjectFacts, state: State, now: string): LoadSegment {
  const { label, source, globals, metadata, owner, mapOwner, reuse } = request;
  for (const program of request.programs) checkProgram(program, facts, label);
  checkGlobals(globals, facts, label);
  const sets = new Set([...state.programs.values()].map(({ mapSet }) => mapSet));
  if (mapOwner !== undefined && !sets.has(mapOwner)) throw sluiceError("MAP_OWNER_UNKNOWN", { id: mapOwner });

  const items = request.programs.map((program, i): LoadItem => ({ ...program, binds: programBinding(i) }));
  const mapSet: Bound<number> = mapOwner ?? ref(programBinding(0));
  const programs = items.map((item): NewProgram => {
    const { section, frags } = facts.programs.find(({ name }) => name === item.name)!;
    return {
      id: ref(item.binds),
      name: item.name,
      type: item.type,
      ...(item.attachFunction !== undefined && { attachFunction: item.attachFunction }),
      section,
      license: facts.license,
      source,
      bytecode: facts.digest,
      globals,
      metadata,
      ...(owner !== undefined && { owner }),
      mapSet,
      sharedMaps: facts.maps.filter(({ shared }) => shared).map(({ name }) => name),
      frags,
      tailCalls: facts.tailCalls,
      loadedAt: now,
    };
  });
  return {
    prepare: [
      {
        kind: "object.load",
        digest: facts.digest,
        label,
        programs: items,
        globals,
        ...(mapOwner !== undefined && { mapOwner }),
        ...(reuse && { reuse }),
      },
    ],
    changes: programs.map((program) => ({ kind: "program.put", program })),
    cleanup: [],
    programs,
  };
}
