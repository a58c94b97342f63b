/** Loads object files, all programs asked for or none, and pins what must outlive this process. */
import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { sluiceError } from "../../core/errors.ts";
import { dataSections } from "../../linux/bpf/btf-codec.ts";
import { mapInfo, programInfo } from "../../linux/bpf/info.ts";
import { BpfObject, type ObjectMap } from "../../linux/bpf/object.ts";
import { openPin, pin, removePins, unpin } from "../../linux/bpf/pin.ts";
import { PROGRAM_TYPE } from "../../linux/bpf/program.ts";
import type { Fd } from "../../linux/fd.ts";
import type { DispatcherAction, LoadItem } from "../actions.ts";
import { detachMaps } from "../engines/member-codec.ts";
import { objectName } from "../object.ts";
import { extensionPin, mapFolder, mapPin, mapPinName, programPin, sharedPin } from "../paths.ts";
import { type KernelContext, pinPath } from "./context.ts";
import { missingFeature } from "./missing-feature.ts";

type LoadAction = Extract<DispatcherAction, { kind: "object.load" }>;

/** Whose instructions a fused dispatcher may need. */
const isMemberType = (type: LoadItem["type"]): boolean => type === "xdp" || type === "tc";

function setUp(object: BpfObject, items: readonly LoadItem[]): void {
  object.loadOnly(items.map(({ name }) => name));
  for (const { name, type, attachFunction } of items) {
    if (type === "tc" || type === "tcx") {
      // libbpf 1.1 does not know the sections of TCX; and what a program is attached by is said when it is attached.
      object.setType(name, PROGRAM_TYPE.SCHED_CLS);
      object.setExpectedAttachType(name, 0);
    }
    if (attachFunction !== undefined) object.setAttachTarget(name, 0, attachFunction);
  }
}

function setGlobals(object: BpfObject, globals: Readonly<Record<string, string>>): void {
  const btf = object.btf();
  if (!btf || Object.keys(globals).length === 0) return;
  const sections = dataSections(btf);
  for (const map of object.maps()) {
    const variables = sections.get(map.section ?? "") ?? [];
    const wanted = variables.filter(({ name }) => globals[name] !== undefined);
    if (wanted.length === 0) continue;
    const value = object.initialValue(map);
    for (const { name, offset } of wanted) value.set(Buffer.from(globals[name]!, "hex"), offset);
    object.setInitialValue(map, value);
  }
}

/** Where a map is pinned already: named by the caller, shared by name, or in the set of the owner. */
function pinnedElsewhere(context: KernelContext, action: LoadAction, map: ObjectMap): string | undefined {
  const name = mapPinName(map);
  const places = [
    action.reuse?.[map.name],
    map.pinByName ? pinPath(context, sharedPin(name)) : undefined,
    action.mapOwner === undefined ? undefined : pinPath(context, mapPin(action.mapOwner, name)),
  ];
  return places.find((path) => path !== undefined && existsSync(path));
}

function reuseMaps(context: KernelContext, action: LoadAction, object: BpfObject): void {
  for (const map of object.maps()) {
    const path = pinnedElsewhere(context, action, map);
    if (path === undefined) continue;
    using fd = openPin(path);
    if (!fd) continue;
    const there = mapInfo(fd.number);
    const same = there.type === map.type && there.keySize === map.keySize && there.valueSize === map.valueSize;
    if (!same) throw sluiceError("MAP_UNLIKE", { map: map.name, object: action.label, path });
    object.reuseMap(map.name, fd);
  }
}

/** Pins an object; a pin of that name is one that lost its row. */
function pinAnew(context: KernelContext, fd: number, path: string): void {
  const absolute = pinPath(context, path);
  mkdirSync(dirname(absolute), { recursive: true, mode: 0o700 });
  unpin(absolute);
  pin(fd, absolute);
}

/** Pins the maps of a set, those that are not there yet; returns the pin of each map by its descriptor. */
function pinMaps(context: KernelContext, object: BpfObject, set: number): Map<number, string> {
  const pins = new Map<number, string>();
  for (const map of object.maps()) {
    const fd = object.mapFd(map.name);
    if (fd < 0) continue;
    const name = mapPinName(map);
    const path = mapPin(set, name);
    if (!existsSync(pinPath(context, path))) pinAnew(context, fd, path);
    if (map.pinByName && !existsSync(pinPath(context, sharedPin(name)))) pinAnew(context, fd, sharedPin(name));
    pins.set(fd, path);
  }
  return pins;
}

/** Loads and pins. @throws SluiceError BPF_LOAD, FEATURE_MISSING, MAP_UNLIKE; then nothing is left */
export function loadObject(context: KernelContext, action: LoadAction): void {
  const image = context.images.get(action.digest);
  if (!image) throw new TypeError(`The object ${action.digest} was not read`);
  using object = BpfObject.open(objectName(action.label), image);
  try {
    setUp(object, action.programs);
    setGlobals(object, action.globals);
    reuseMaps(context, action, object);
    object.load();
  } catch (error) {
    throw missingFeature(error, action.programs) ?? error;
  }
  context.fault("object.loaded");
  try {
    const infos = action.programs.map(({ name }) => programInfo(object.programFd(name)));
    // Bound before anything is pinned: what takes a failed load back finds the pins by them.
    for (const [i, { binds }] of action.programs.entries()) context.bindings.set(binds, infos[i]!.id);
    const set = action.mapOwner ?? infos[0]!.id;
    const pins = pinMaps(context, object, set);
    context.fault("maps.pinned");
    for (const [i, item] of action.programs.entries()) {
      const { id, gplCompatible } = infos[i]!;
      pinAnew(context, object.programFd(item.name), programPin(id));
      context.fault("program.pinned");
      const member = isMemberType(item.type)
        ? detachMaps(object.instructions(item.name), pins)
        : { code: Buffer.alloc(0), references: [] };
      context.loaded.set(id, { id, gplCompatible, source: { bytecode: action.digest, mapSet: set }, ...member });
    }
  } catch (error) {
    unloadObject(context, action.programs);
    throw error;
  }
}

/** Takes loaded programs back: their pins, and those of the maps that came with them. */
export function unloadObject(context: KernelContext, programs: readonly LoadItem[]): void {
  for (const { binds } of programs) {
    const id = context.bindings.find(binds);
    if (id === undefined) continue;
    context.loaded.delete(id);
    unpin(pinPath(context, programPin(id)));
    removePins(pinPath(context, mapFolder(id)));
  }
}

/** Removes the pins of a program that has no row any more. */
export function removeProgram(
  context: KernelContext,
  { id, mapSet, sharedMaps }: Extract<DispatcherAction, { kind: "program.remove" }>,
): void {
  unpin(pinPath(context, extensionPin(id)));
  unpin(pinPath(context, programPin(id)));
  for (const map of sharedMaps) unpin(pinPath(context, sharedPin(map)));
  if (mapSet !== undefined) removePins(pinPath(context, mapFolder(mapSet)));
}

/** Opens the pinned maps behind references. @throws SluiceError PROGRAM_LOST */
export function openMaps(
  context: KernelContext,
  program: { readonly id: number; readonly name: string },
  paths: Iterable<string>,
  owned: DisposableStack,
): Map<string, number> {
  const fds = new Map<string, number>();
  for (const path of paths) {
    const fd: Fd | undefined = openPin(pinPath(context, path));
    if (!fd) throw sluiceError("PROGRAM_LOST", { ...program, what: `its map ${path}` });
    fds.set(path, owned.use(fd).number);
  }
  return fds;
}
