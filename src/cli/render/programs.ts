/** Programs, links and dispatchers for people and for machines. */
import { detailsText } from "../../dispatcher/actions.ts";
import type { DispatcherRecord, LinkDetails, LinkRecord, ProgramRecord, State } from "../../dispatcher/model.ts";
import { familyOf, isMember, isTcx, membersOf } from "../../dispatcher/model.ts";
import { tcxPosition } from "../../dispatcher/plan/attach.ts";
import { programPin } from "../../dispatcher/paths.ts";
import { proceedOnMask, proceedOnNames } from "../../dispatcher/proceed-on.ts";
import type { KernelProgram, LinkStatus } from "../../dispatcher/view.ts";
import { APPLICATION } from "../../dispatcher/words.ts";
import type { Section } from "./sections.ts";
import type { Column } from "./table.ts";

/** Where it came from, in words. */
const sourceText = ({ source }: ProgramRecord): string =>
  source.kind === "file" ? source.path : source.kind === "image" ? source.url : `${source.name} (part of sluice)`;

/** The links of a program. */
const linksOf = (state: State, id: number): LinkRecord[] =>
  [...state.links.values()].filter(({ programId }) => programId === id);

const pairs = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([key, value]) => `${key}=${value}`);

/** A program in a list: one of ours, or one that others loaded. */
export interface ProgramRow {
  readonly id: number;
  readonly name: string;
  readonly record?: ProgramRecord;
}

/** The columns of `program list`; the application's only when some program has one. */
export function programColumns(state: State, rows: readonly ProgramRow[]): Column<ProgramRow>[] {
  const hasApplication = rows.some(({ record }) => record?.metadata[APPLICATION] !== undefined);
  const links = (id: number): string => {
    const found = linksOf(state, id);
    return found.length === 0 ? "" : `(${found.length}) ${found.map((link) => link.id).join(", ")}`;
  };
  return [
    { title: "PROGRAM ID", align: "right", cell: ({ id }) => String(id) },
    ...(hasApplication
      ? [{ title: "APPLICATION", cell: ({ record }: ProgramRow) => record?.metadata[APPLICATION] ?? "" }]
      : []),
    { title: "TYPE", cell: ({ record }) => record?.type ?? "-" },
    { title: "FUNCTION NAME", cell: ({ name }) => name },
    { title: "OWNER", cell: ({ record }) => (record ? (record.owner ?? "user") : "not sluice") },
    { title: "LINKS", cell: ({ id }) => links(id) },
  ];
}

/** The sections of `program get`. */
export function programSections(program: ProgramRecord, state: State, kernel: KernelProgram | undefined): Section[] {
  const usedBy = [...state.programs.values()].filter(({ mapSet }) => mapSet === program.mapSet);
  const state_ = [
    ["Function", program.name],
    ["Type", program.type],
    ["Attach function", program.attachFunction],
    ["Source", sourceText(program)],
    ["Section", program.section],
    ["License", program.license],
    ["Globals", pairs(program.globals)],
    ["Metadata", pairs(program.metadata)],
    ["Owner", program.owner],
    ["Map owner", program.mapSet === program.id ? undefined : program.mapSet],
    ["Maps used by", usedBy.map(({ id }) => String(id))],
    ["Pin", programPin(program.id)],
    ["Links", linksOf(state, program.id).map((link) => `${link.id} (${detailsText(link.details)})`)],
  ] as const;
  const sections: Section[] = [{ title: `Program ${program.id}`, entries: state_ }];
  if (!kernel) return [...sections, { title: "Kernel", entries: [["State", "not in the kernel: see sluice doctor"]] }];
  const { info, loadedAt, memory, maps } = kernel;
  const facts = [
    ["Name", info.name],
    ["Type", kernel.type],
    ["Loaded at", loadedAt],
    ["Tag", info.tag],
    ["GPL compatible", info.gplCompatible],
    ["BTF ID", info.btfId || undefined],
    ["Size translated (bytes)", info.xlatedSize || undefined],
    ["JITed", info.jitedSize > 0],
    ["Size JITed (bytes)", info.jitedSize || undefined],
    ["Memory (bytes)", memory],
    ["Verified instructions", info.verifiedInstructions],
    ["Maps", maps.map((map) => `${map.id} ${map.name} (${map.keySize} -> ${map.valueSize} bytes, ${map.maxEntries})`)],
  ] as const;
  return [...sections, { title: "Kernel", entries: facts }];
}

/** A program as JSON. */
export function programJson(program: ProgramRecord, state: State, kernel: KernelProgram | undefined): object {
  const usedBy = [...state.programs.values()].filter(({ mapSet }) => mapSet === program.mapSet);
  const globals = Object.entries(program.globals).map(([name, hex]) => [
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
    globalsBase64: Object.fromEntries(globals) as object,
    metadata: program.metadata,
    application: program.metadata[APPLICATION] ?? null,
    owner: program.owner ?? null,
    mapOwner: program.mapSet === program.id ? null : program.mapSet,
    mapUsedBy: usedBy.map(({ id }) => id),
    pin: programPin(program.id),
    loadedAt: program.loadedAt,
    links: linksOf(state, program.id).map(({ id }) => id),
    kernel: kernel ? kernelJson(kernel) : null,
  };
}

function kernelJson({ info, type, loadedAt, memory, maps }: KernelProgram): object {
  return {
    id: info.id,
    name: info.name,
    type,
    tag: info.tag,
    loadedAt,
    uid: info.uid,
    gplCompatible: info.gplCompatible,
    btfId: info.btfId,
    mapIds: info.mapIds,
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

/** The columns of `link list`. */
export const linkColumns = (state: State): Column<LinkRecord>[] => [
  { title: "LINK ID", align: "right", cell: ({ id }) => String(id) },
  { title: "KIND", cell: ({ details }) => details.kind },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "FUNCTION NAME", cell: ({ programId }) => state.programs.get(programId)?.name ?? "" },
  { title: "ATTACHMENT", cell: ({ details }) => detailsText(details) },
];

/** The rank in a dispatcher, or in the kernel's own chain; undefined for what has none. */
function positionOf(link: LinkRecord, state: State): number | undefined {
  if (isTcx(link)) return tcxPosition(state, link);
  return isMember(link) ? link.details.position : undefined;
}

const proceedOnText = (details: LinkDetails): string | undefined =>
  details.kind === "xdp" || details.kind === "tc"
    ? proceedOnNames(details.kind, details.proceedOn).join(", ")
    : undefined;

/** The sections of `link get`, and of what an attach answers. */
export function linkSections(link: LinkRecord, state: State, status: LinkStatus | undefined): Section[] {
  const { details } = link;
  const network = "device" in details;
  const entries = [
    ["Function", state.programs.get(link.programId)?.name],
    ["Program ID", link.programId],
    ["Kind", details.kind],
    ["Attachment", detailsText(details)],
    ...(network ? ([["Interface", details.device]] as const) : []),
    ...(network ? ([["Priority", details.priority]] as const) : []),
    ...(network ? ([["Position", positionOf(link, state)]] as const) : []),
    ...(proceedOnText(details) === undefined ? [] : ([["Proceed on", proceedOnText(details)]] as const)),
    ...(network ? ([["Network namespace", details.netns]] as const) : []),
    ["Metadata", pairs(link.metadata)],
  ] as const;
  const sections: Section[] = [{ title: `Link ${link.id}`, entries }];
  if (!status) return sections;
  return [
    ...sections,
    {
      title: "Kernel",
      entries: [
        ["Attached", status.attached],
        ["Link ID", status.kernelLinkId],
      ],
    },
  ];
}

/** A link as JSON. */
export function linkJson(link: LinkRecord, state: State, status: LinkStatus | undefined): object {
  const { details } = link;
  const position = positionOf(link, state);
  const member = details.kind === "xdp" || details.kind === "tc" ? details : undefined;
  const { key: _key, ...rest } = { key: undefined, ...details };
  return {
    id: link.id,
    programId: link.programId,
    kind: details.kind,
    ...(position !== undefined && { position }),
    details: member ? { ...rest, hook: member.key.hook, nsid: member.key.nsid, ifindex: member.key.ifindex } : rest,
    metadata: link.metadata,
    createdAt: link.createdAt,
    ...(status && { kernel: { attached: status.attached, linkId: status.kernelLinkId ?? null } }),
  };
}

const holderText = ({ attachment }: DispatcherRecord): string =>
  attachment.via === "clsact" ? `0x${attachment.handle.toString(16)}` : String(attachment.linkId);

/** The columns of `dispatcher list`. */
export const dispatcherColumns = (state: State): Column<DispatcherRecord>[] => [
  { title: "HOOK", cell: ({ key }) => key.hook },
  { title: "INTERFACE", cell: ({ device }) => device },
  { title: "IFINDEX", align: "right", cell: ({ key }) => String(key.ifindex) },
  { title: "NSID", align: "right", cell: ({ key }) => String(key.nsid) },
  { title: "REVISION", align: "right", cell: ({ revision }) => String(revision) },
  { title: "ENGINE", cell: ({ engine }) => engine },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "VIA", cell: ({ attachment }) => attachment.via },
  { title: "LINK/HANDLE", align: "right", cell: (row) => holderText(row) },
  { title: "MEMBERS", align: "right", cell: ({ key }) => String(membersOf(state, key).length) },
  { title: "NETNS", cell: ({ netns }) => netns ?? "-" },
];

/** The sections of `dispatcher get`, before the table of members. */
export function dispatcherSections(record: DispatcherRecord): Section[] {
  const { key, attachment } = record;
  const holder =
    attachment.via === "clsact"
      ? (["Filter handle", holderText(record)] as const)
      : (["Link ID", holderText(record)] as const);
  const entries = [
    ["Revision", record.revision],
    ["Engine", record.engine],
    ["Program ID", String(record.programId)],
    ["Attached via", attachment.via],
    holder,
    ...(attachment.via === "xdp" ? ([["XDP mode", attachment.mode]] as const) : []),
    ["Network namespace", record.netns],
  ] as const;
  return [{ title: `Dispatcher ${key.hook} on ${record.device} (nsid ${key.nsid}, ifindex ${key.ifindex})`, entries }];
}

/** The columns of a dispatcher's members. */
export const memberColumns = (state: State): Column<LinkRecord>[] => [
  { title: "POS", align: "right", cell: ({ details }) => ("position" in details ? String(details.position) : "") },
  { title: "PRIORITY", align: "right", cell: ({ details }) => ("priority" in details ? String(details.priority) : "") },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "FUNCTION NAME", cell: ({ programId }) => state.programs.get(programId)?.name ?? "" },
  { title: "OWNER", cell: ({ programId }) => state.programs.get(programId)?.owner ?? "user" },
  { title: "LINK ID", align: "right", cell: ({ id }) => String(id) },
  { title: "PROCEED ON", cell: ({ details }) => proceedOnText(details)?.replaceAll(" ", "") ?? "" },
];

/** A dispatcher as JSON, with its members. */
export function dispatcherJson(record: DispatcherRecord, state: State): object {
  const { key, attachment } = record;
  const members = membersOf(state, key);
  return {
    ...key,
    device: record.device,
    netns: record.netns ?? null,
    revision: record.revision,
    engine: record.engine,
    programId: record.programId,
    attachment,
    members: members.map((link) => ({
      linkId: link.id,
      programId: link.programId,
      name: state.programs.get(link.programId)?.name ?? null,
      position: link.details.position,
      priority: link.details.priority,
      proceedOn: link.details.proceedOn,
      proceedOnMask: proceedOnMask(familyOf(key.hook), link.details.proceedOn),
      metadata: link.metadata,
    })),
  };
}
