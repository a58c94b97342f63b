/** What the kernel says of programs and links, for those who look. */
import { join } from "node:path";
import {
  type MapInfo,
  mapInfo,
  memoryOf,
  openMapById,
  openProgramById,
  type ProgramInfo,
  programInfo,
} from "../linux/bpf/info.ts";
import { linkInfo } from "../linux/bpf/link.ts";
import { openPin } from "../linux/bpf/pin.ts";
import { programTypeName } from "../linux/bpf/program.ts";
import { bootTime } from "../linux/boot.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { isMember, keyText, type LinkRecord } from "./model.ts";
import { linkPin } from "./paths.ts";

/** A program in the kernel. */
export interface KernelProgram {
  readonly info: ProgramInfo;
  /** The kernel's word for its type. */
  readonly type: string;
  /** RFC 3339. */
  readonly loadedAt: string;
  /** Bytes. */
  readonly memory: number;
  readonly maps: readonly MapInfo[];
}

/** What the kernel says of a program; undefined when it has none of that id. */
export function kernelProgram(id: number): KernelProgram | undefined {
  using fd = openProgramById(id);
  if (!fd) return undefined;
  const info = programInfo(fd.number);
  const maps = info.mapIds.flatMap((mapId) => {
    using map = openMapById(mapId);
    return map ? mapInfo(map.number) : [];
  });
  const loadedAt = new Date(bootTime() + Number(info.loadedAt / 1_000_000n)).toISOString();
  return { info, type: programTypeName(info.type), loadedAt, memory: memoryOf(fd.number), maps };
}

/** Whether the kernel has a link. */
export interface LinkStatus {
  readonly attached: boolean;
  /** The kernel's id of the link, or of the one that holds the dispatcher. */
  readonly kernelLinkId?: number;
}

/** What the kernel says of a link. */
export function linkStatus(dispatcher: Dispatcher, link: LinkRecord): LinkStatus {
  if (isMember(link)) {
    const { key, device, netns } = link.details;
    const hook = { key, device, ...(netns !== undefined && { netns }) };
    const view = dispatcher.snapshot({ hooks: [hook] }).hooks.get(keyText(key));
    const holder = view?.via === "clsact" ? undefined : view?.holder;
    return { attached: view?.programId !== undefined, ...(holder !== undefined && { kernelLinkId: holder }) };
  }
  using fd = openPin(join(dispatcher.place.paths.pins, linkPin(link.id)));
  return fd ? { attached: true, kernelLinkId: linkInfo(fd).id } : { attached: false };
}
