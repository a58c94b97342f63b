/**
 * Where the dispatcher keeps its pins, below a folder of a bpffs. Everything in these places is ours, and nothing else is:
 *
 *     prog_<id>                                          a loaded program
 *     ext_<id>                                           the same as an extension, for the freplace engine
 *     maps/<set>/<map>                                   the maps of a set of programs
 *     shared/<map>                                       maps shared by name
 *     links/<link>                                       links to anything but a dispatcher
 *     <hook>/dispatcher_<nsid>_<ifindex>_link            the kernel's link that holds a dispatcher on its hook
 *     <hook>/dispatcher_<nsid>_<ifindex>_<rev>/dispatcher    a revision's program
 *     <hook>/dispatcher_<nsid>_<ifindex>_<rev>/link_<slot>   its extensions' links
 *
 * bpffs takes no dots in names, and C takes no dashes: the maps behind global data are called `-rodata`, `-bss`.
 */
import { type DispatcherKey, HOOK_NAMES, type HookName } from "./model.ts";

/** The pin of a program, relative to the folder of pins like all of these. */
export const programPin = (id: number): string => `prog_${id}`;
/** The pin of a program's extension. */
export const extensionPin = (id: number): string => `ext_${id}`;
/** The folder of a set of maps. */
export const mapFolder = (set: number): string => `maps/${set}`;
/** The pin of a map, by the name that {@link mapPinName} gives. */
export const mapPin = (set: number, name: string): string => `${mapFolder(set)}/${name}`;
/** The pin of a map that is shared by name. */
export const sharedPin = (name: string): string => `shared/${name}`;
/** The pin of a link to anything but a dispatcher. */
export const linkPin = (id: number): string => `links/${id}`;

const stem = ({ hook, nsid, ifindex }: DispatcherKey): string => `${hook}/dispatcher_${nsid}_${ifindex}`;
/** The pin of the kernel's link that holds a dispatcher. */
export const hookPin = (key: DispatcherKey): string => `${stem(key)}_link`;
/** The folder of a revision. */
export const revisionFolder = (key: DispatcherKey, revision: number): string => `${stem(key)}_${revision}`;
/** The pin of a revision's program. */
export const revisionPin = (key: DispatcherKey, revision: number): string =>
  `${revisionFolder(key, revision)}/dispatcher`;
/** The pin of the link that puts an extension into a slot. */
export const slotPin = (key: DispatcherKey, revision: number, slot: number): string =>
  `${revisionFolder(key, revision)}/link_${slot}`;

/** The name of a map's pin: of the section for maps behind global data, whose names have dots. */
export const mapPinName = (map: { readonly name: string; readonly section?: string }): string =>
  map.section === undefined ? map.name : map.section.replaceAll(".", "-");

/** What a name below the folder of pins stands for. */
export type Pin =
  | { readonly kind: "program" | "extension" | "map-set" | "link"; readonly id: number }
  | { readonly kind: "shared-map"; readonly name: string }
  | { readonly kind: "hook"; readonly key: DispatcherKey }
  | { readonly kind: "revision"; readonly key: DispatcherKey; readonly revision: number };

/** Folders in which pins are looked for; the empty one is the folder of pins itself. */
export const PIN_FOLDERS: readonly string[] = ["", "maps", "shared", "links", ...HOOK_NAMES];

const number = (text: string): number => Number.parseInt(text, 10);
const DISPATCHER = /^dispatcher_([1-9]\d*)_([1-9]\d*)_([1-9]\d*|link)$/;

/** Reads a name found in one of {@link PIN_FOLDERS}; undefined when it is none that we give. */
export function parsePin(folder: string, name: string): Pin | undefined {
  const id = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(name)?.[1];
    return found === undefined ? undefined : number(found);
  };
  const numbered = (kind: "program" | "extension" | "map-set" | "link", pattern: RegExp): Pin | undefined => {
    const found = id(pattern);
    return found === undefined ? undefined : { kind, id: found };
  };
  if (folder === "") return numbered("program", /^prog_([1-9]\d*)$/) ?? numbered("extension", /^ext_([1-9]\d*)$/);
  if (folder === "maps") return numbered("map-set", /^([1-9]\d*)$/);
  if (folder === "links") return numbered("link", /^([1-9]\d*)$/);
  if (folder === "shared") return { kind: "shared-map", name };
  const match = DISPATCHER.exec(name);
  if (!match || !HOOK_NAMES.includes(folder as HookName)) return undefined;
  const key = { hook: folder as HookName, nsid: number(match[1]!), ifindex: number(match[2]!) };
  return match[3] === "link" ? { kind: "hook", key } : { kind: "revision", key, revision: number(match[3]!) };
}
