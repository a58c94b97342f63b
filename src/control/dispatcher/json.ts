/** Programs, links and dispatchers as the API has them. */
import type { DispatcherJson, LinkJson, ProgramJson } from "../../api/schemas/dispatcher.ts";
import { detailsText } from "../../dispatcher/actions.ts";
import {
  type DispatcherRecord,
  familyOf,
  isMember,
  isTcx,
  type LinkDetails,
  type LinkRecord,
  type MemberDetails,
  membersOf,
  type ProgramRecord,
  SLOTS,
  type State,
} from "../../dispatcher/model.ts";
import { programPin } from "../../dispatcher/paths.ts";
import { tcxPosition } from "../../dispatcher/plan/attach.ts";
import { proceedOnMask, proceedOnNames } from "../../dispatcher/proceed-on.ts";
import type { KernelProgram, LinkStatus } from "../../dispatcher/view.ts";
import { APPLICATION } from "../../dispatcher/words.ts";

function kernelJson({ info, type, loadedAt, memory, maps }: KernelProgram): NonNullable<ProgramJson["kernel"]> {
  return {
    id: info.id,
    name: info.name,
    type,
    tag: info.tag,
    loadedAt,
    uid: info.uid,
    gplCompatible: info.gplCompatible,
    btfId: info.btfId,
    mapIds: [...info.mapIds],
    jitedBytes: info.jitedSize,
    translatedBytes: info.xlatedSize,
    memoryBytes: memory,
    verifiedInstructions: info.verifiedInstructions,
    runCount: Number(info.runCount),
    runTimeNanoseconds: Number(info.runTimeNs),
    maps: maps.map(({ id, name, type: mapType, keySize, valueSize, maxEntries }) => ({
      id,
      name,
      type: mapType,
      keySize,
      valueSize,
      maxEntries,
    })),
  };
}

/** A program. */
export function programJson(program: ProgramRecord, state: State, kernel: KernelProgram | undefined): ProgramJson {
  const usedBy = [...state.programs.values()].filter(({ mapSet }) => mapSet === program.mapSet);
  const links = [...state.links.values()].filter(({ programId }) => programId === program.id);
  const globals = Object.entries(program.globals).map(([name, hex]): [string, string] => [
    name,
    Buffer.from(hex, "hex").toString("base64"),
  ]);
  return {
    id: program.id,
    name: program.name,
    type: program.type,
    attachFunction: program.attachFunction ?? null,
    section: program.section,
    license: program.license,
    gplCompatible: program.gplCompatible,
    source: program.source,
    bytecodeSha256: program.bytecode,
    globalsBase64: Object.fromEntries(globals),
    metadata: program.metadata,
    application: program.metadata[APPLICATION] ?? null,
    owner: program.owner ?? null,
    mapOwner: program.mapSet === program.id ? null : program.mapSet,
    mapUsedBy: usedBy.map(({ id }) => id),
    pin: programPin(program.id),
    loadedAt: program.loadedAt,
    links: links.map(({ id }) => id),
    attachments: links.map(({ id, details }) => ({ linkId: id, text: detailsText(details) })),
    kernel: kernel ? kernelJson(kernel) : null,
  };
}

/** The rank in a dispatcher, or in the kernel's own chain; undefined for what has none. */
function positionOf(link: LinkRecord, state: State): number | undefined {
  if (isTcx(link)) return tcxPosition(state, link);
  return isMember(link) ? link.details.position : undefined;
}

function detailsJson(link: LinkRecord): LinkJson["details"] {
  if (!isMember(link)) return link.details as Exclude<LinkDetails, MemberDetails>;
  const { key, proceedOn, ...rest } = link.details;
  return { ...rest, proceedOn: [...proceedOn], hook: key.hook, nsid: key.nsid, ifindex: key.ifindex };
}

/** A link; `status` is what the kernel says of it, when it was asked. */
export function linkJson(link: LinkRecord, state: State, status?: LinkStatus): LinkJson {
  const { details } = link;
  const position = positionOf(link, state);
  const names =
    details.kind === "xdp" || details.kind === "tc" ? proceedOnNames(details.kind, details.proceedOn) : undefined;
  return {
    id: link.id,
    programId: link.programId,
    programName: state.programs.get(link.programId)?.name ?? null,
    kind: details.kind,
    attachment: detailsText(details),
    ...(position !== undefined && { position }),
    ...(names && { proceedOn: names }),
    details: detailsJson(link),
    metadata: link.metadata,
    createdAt: link.createdAt,
    ...(status && { kernel: { attached: status.attached, linkId: status.kernelLinkId ?? null } }),
  };
}

/** A dispatcher with its members. */
export function dispatcherJson(record: DispatcherRecord, state: State): DispatcherJson {
  const { key, attachment } = record;
  const family = familyOf(key.hook);
  return {
    ...key,
    device: record.device,
    netns: record.netns ?? null,
    revision: record.revision,
    engine: record.engine,
    programId: record.programId,
    attachment,
    slots: SLOTS,
    members: membersOf(state, key).map((link) => ({
      linkId: link.id,
      programId: link.programId,
      name: state.programs.get(link.programId)?.name ?? null,
      owner: state.programs.get(link.programId)?.owner ?? null,
      position: link.details.position,
      priority: link.details.priority,
      proceedOn: [...link.details.proceedOn],
      proceedOnNames: proceedOnNames(family, link.details.proceedOn),
      proceedOnMask: proceedOnMask(family, link.details.proceedOn),
      metadata: link.metadata,
    })),
  };
}
