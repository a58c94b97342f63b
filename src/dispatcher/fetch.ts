/** Reads what is there: the store, the kernel's programs and links, our pins, and what every hook concerned runs. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Handle, TC_CLSACT, TC_EGRESS, TC_INGRESS } from "../core/tc/handle.ts";
import { linkIds, programIds } from "../linux/bpf/ids.ts";
import { mapInfo, openProgramById, programInfo } from "../linux/bpf/info.ts";
import { LINK_TYPE, linkInfo } from "../linux/bpf/link.ts";
import { openPin } from "../linux/bpf/pin.ts";
import { queryTcx } from "../linux/bpf/tcx.ts";
import { SystemError } from "../linux/errno.ts";
import { dumpFilters, dumpLinks, dumpQdiscs } from "../linux/netlink/dump.ts";
import type { LinkRecord as DeviceRecord } from "../linux/netlink/link.ts";
import type { RtnlSocket } from "../linux/netlink/socket.ts";
import {
  type DispatcherKey,
  type DispatcherRecord,
  FILTER_NAME,
  FILTER_PRIORITY,
  isTcx,
  keyText,
  type Side,
  sideOf,
  type State,
  type TcxDetails,
} from "./model.ts";
import type { Namespaces, Space } from "./namespaces.ts";
import type { HookView, SeenPin, SeenProgram, Snapshot, TcxView } from "./observed.ts";
import { hookPin, parsePin, PIN_FOLDERS } from "./paths.ts";

/** The parent of filters on a side of clsact. */
export const filterParent = (side: Side): Handle => (side === "ingress" ? TC_INGRESS : TC_EGRESS);

/** A hook that somebody asks about, besides those that the store and the pins tell of. */
export interface WantedHook {
  readonly key: DispatcherKey;
  readonly device: string;
  readonly netns?: string;
}

/** A TCX chain that somebody asks about. */
export type WantedChain = Pick<TcxDetails, "nsid" | "ifindex" | "side" | "netns">;

/** Where to look. */
export interface FetchOptions {
  /** The folder of pins. */
  readonly pins: string;
  readonly state: State;
  readonly namespaces: Namespaces;
  readonly hooks?: readonly WantedHook[];
  readonly chains?: readonly WantedChain[];
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return [];
    throw error;
  }
}

/** The kernel's name of a program; undefined when it is gone. */
export function nameOfProgram(id: number): string | undefined {
  using fd = openProgramById(id);
  return fd && programInfo(fd.number).name;
}

/** The programs that the kernel holds, by id. */
export const kernelPrograms = (): Map<number, string> =>
  new Map(programIds().map((id) => [id, nameOfProgram(id) ?? ""]));

/** The kernel's id of a pinned program, map or link. */
function pinnedId(path: string, kind: SeenPin["kind"]): number | undefined {
  using fd = openPin(path);
  if (!fd) return undefined;
  if (kind === "link" || kind === "hook") return linkInfo(fd).id;
  return kind === "shared-map" ? mapInfo(fd.number).id : programInfo(fd.number).id;
}

function readRevision(folder: string): Pick<SeenPin, "programId" | "slots"> {
  const names = list(folder);
  const slots = names.flatMap((name) => /^link_(\d)$/.exec(name)?.[1] ?? []).map(Number);
  const programId = names.includes("dispatcher") ? pinnedId(join(folder, "dispatcher"), "program") : undefined;
  return { ...(programId !== undefined && { programId }), slots };
}

/** Everything below the folder of pins that is of our naming, and the names that are not. */
function readPins(root: string): { readonly pins: SeenPin[]; readonly strange: string[] } {
  const pins: SeenPin[] = [];
  const strange: string[] = [];
  // The shaper keeps its own pins beside these.
  const known = new Set([...PIN_FOLDERS, "shaper", "maps.debug", "progs.debug"]);
  for (const folder of PIN_FOLDERS) {
    for (const name of list(join(root, folder))) {
      if (folder === "" && known.has(name)) continue;
      const path = folder === "" ? name : `${folder}/${name}`;
      const pin = parsePin(folder, name);
      if (!pin) strange.push(path);
      else if (pin.kind === "revision") pins.push({ ...pin, path, ...readRevision(join(root, path)) });
      else if (pin.kind === "map-set") pins.push({ ...pin, path });
      else {
        const kernelId = pinnedId(join(root, path), pin.kind);
        pins.push({ ...pin, path, ...(kernelId !== undefined && { kernelId }) });
      }
    }
  }
  return { pins, strange };
}

/** The devices of a namespace, dumped once per fetch. */
class Devices {
  readonly #dumps = new Map<RtnlSocket, ReadonlyMap<number, DeviceRecord>>();

  get(socket: RtnlSocket): ReadonlyMap<number, DeviceRecord> {
    let dump = this.#dumps.get(socket);
    if (!dump) {
      dump = new Map(dumpLinks(socket).map((device) => [device.ifindex, device]));
      this.#dumps.set(socket, dump);
    }
    return dump;
  }
}

/** What our filter on clsact runs: the one of the handle that the store knows, or of a program that a revision pins. */
function readFilter(
  socket: RtnlSocket,
  key: DispatcherKey,
  ours: ReadonlySet<number>,
  record: DispatcherRecord | undefined,
): Pick<HookView, "programId" | "holder" | "via"> {
  if (key.hook === "xdp") return {};
  const filters = dumpFilters(socket, key.ifindex, filterParent(sideOf(key.hook))).filter(
    ({ priority, program }) => priority === FILTER_PRIORITY && program !== undefined,
  );
  const handle = record?.attachment.via === "clsact" ? record.attachment.handle : undefined;
  const found =
    filters.find(({ program }) => ours.has(program!.id)) ??
    // Somebody put another program into our filter: it has our place and our name still.
    filters.find((filter) => filter.handle === handle && filter.program!.name === FILTER_NAME);
  return found ? { programId: found.program!.id, holder: found.handle, via: "clsact" } : {};
}

function readHook(
  { key, device }: WantedHook,
  space: Space | undefined,
  devices: Devices,
  options: FetchOptions,
  pins: readonly SeenPin[],
): HookView {
  const held = readHolder(join(options.pins, hookPin(key)), key.ifindex);
  // A pinned link knows whether its device lives, and can be swapped and detached without a way into the namespace.
  if (!space) return { key, device, place: held.programId === undefined ? "namespace-gone" : "present", ...held };
  const { socket } = space;
  const found = devices.get(socket).get(key.ifindex);
  if (!found) return { key, device, place: "interface-gone" };
  const base = { key, device: found.name, place: "present" as const };
  const record = options.state.dispatchers.get(keyText(key));
  const pinned = pins.filter((pin) => pin.kind === "revision" && keyText(pin.key) === keyText(key));
  const ours = new Set([...pinned.flatMap(({ programId = [] }) => programId), ...(record ? [record.programId] : [])]);

  const filter = held.programId === undefined ? readFilter(socket, key, ours, record) : {};
  const qdisc = key.hook === "xdp" ? undefined : qdiscAtClsact(socket, key.ifindex);
  const xdp = key.hook === "xdp" && found.xdpProgramId !== held.programId ? found.xdpProgramId : undefined;
  const foreignXdp: SeenProgram | undefined =
    xdp === undefined ? undefined : { id: xdp, name: nameOfProgram(xdp) ?? "" };
  return {
    ...base,
    ...held,
    ...filter,
    ...(qdisc !== undefined && { qdisc }),
    ...(foreignXdp && { foreignXdp }),
  };
}

/** What the pinned link of a hook holds; nothing when its device is gone from under it. */
function readHolder(path: string, ifindex: number): Pick<HookView, "programId" | "holder" | "via"> {
  using fd = openPin(path);
  if (!fd) return {};
  const info = linkInfo(fd);
  if (info.ifindex !== ifindex) return {};
  return { programId: info.programId, holder: info.id, via: info.type === LINK_TYPE.TCX ? "tcx" : "xdp" };
}

/** The kind of the qdisc where clsact goes. */
function qdiscAtClsact(socket: RtnlSocket, ifindex: number): string | undefined {
  const found = dumpQdiscs(socket, ifindex).find(({ at }) => at.parent === TC_CLSACT);
  if (!found) return undefined;
  return found.at.qdisc.kind === "other" ? found.at.qdisc.name : found.at.qdisc.kind;
}

function readChain({ nsid, ifindex, side, netns }: WantedChain, options: FetchOptions): TcxView {
  const space = options.namespaces.find(nsid, netns);
  if (!space) return { nsid, ifindex, side, entries: [] };
  try {
    const entries = space.ns.run(() => queryTcx(ifindex, side));
    return { nsid, ifindex, side, entries };
  } catch (error) {
    // EINVAL: a kernel without TCX. ENODEV: the interface is gone, and its chain with it.
    const known = error instanceof SystemError && ["EINVAL", "ENODEV"].includes(error.code);
    if (!known) throw error;
    return { nsid, ifindex, side, entries: [] };
  }
}

/** All of it. Nothing is changed. */
export function fetchSnapshot(options: FetchOptions): Snapshot {
  const { state, namespaces } = options;
  const { pins, strange } = readPins(options.pins);
  const wanted = new Map<string, WantedHook>();
  for (const pin of pins)
    if (pin.kind === "hook" || pin.kind === "revision") wanted.set(keyText(pin.key), { key: pin.key, device: "?" });
  for (const dispatcher of state.dispatchers.values()) wanted.set(keyText(dispatcher.key), dispatcher);
  for (const hook of options.hooks ?? []) wanted.set(keyText(hook.key), hook);
  const devices = new Devices();
  const hooks = [...wanted].map(([text, hook]): readonly [string, HookView] => {
    const space = namespaces.find(hook.key.nsid, hook.netns ?? state.namespaces.get(hook.key.nsid));
    return [text, readHook(hook, space, devices, options, pins)];
  });
  const chains = [...state.links.values()].filter((link) => isTcx(link)).map(({ details }) => details);
  return {
    state,
    programs: kernelPrograms(),
    links: new Set(linkIds()),
    pins,
    strangePins: strange,
    hooks: new Map(hooks),
    tcx: [...chains, ...(options.chains ?? [])].map((chain) => readChain(chain, options)),
  };
}
