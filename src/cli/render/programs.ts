/** Programs, links and dispatchers for people. */
import type { DispatcherJson, LinkJson, ListedProgram, MemberJson, ProgramJson } from "../../api/schemas/dispatcher.ts";
import type { Section } from "./sections.ts";
import type { Column } from "./table.ts";

/** Where it came from, in words. */
const sourceText = ({ source }: ProgramJson): string =>
  source.kind === "file" ? source.path : source.kind === "image" ? source.url : `${source.name} (part of sluice)`;

const pairs = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([key, value]) => `${key}=${value}`);

const hexPairs = (values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).map(([key, value]) => `${key}=${Buffer.from(value, "base64").toString("hex")}`);

const linksText = (program: ListedProgram): string => {
  if (!program.managed || program.links.length === 0) return "";
  return `(${program.links.length}) ${program.links.join(", ")}`;
};

/** The columns of `program list`; the application's only when some program has one. */
export function programColumns(rows: readonly ListedProgram[]): Column<ListedProgram>[] {
  const applicationOf = (row: ListedProgram): string => (row.managed ? (row.application ?? "") : "");
  const hasApplication = rows.some((row) => applicationOf(row) !== "");
  return [
    { title: "PROGRAM ID", align: "right", cell: ({ id }) => String(id) },
    ...(hasApplication ? [{ title: "APPLICATION", cell: applicationOf }] : []),
    { title: "TYPE", cell: (row) => (row.managed ? row.type : "-") },
    { title: "FUNCTION NAME", cell: ({ name }) => name },
    { title: "OWNER", cell: (row) => (row.managed ? (row.owner ?? "user") : "not sluice") },
    { title: "LINKS", cell: linksText },
  ];
}

/** The sections of `program get`. */
export function programSections(program: ProgramJson): Section[] {
  const facts = [
    ["Function", program.name],
    ["Type", program.type],
    ["Attach function", program.attachFunction ?? undefined],
    ["Source", sourceText(program)],
    ["Section", program.section],
    ["License", program.license],
    ["Globals", hexPairs(program.globalsBase64)],
    ["Metadata", pairs(program.metadata)],
    ["Owner", program.owner ?? undefined],
    ["Map owner", program.mapOwner ?? undefined],
    ["Maps used by", program.mapUsedBy.map(String)],
    ["Pin", program.pin],
    ["Links", program.attachments.map(({ linkId, text }) => `${linkId} (${text})`)],
  ] as const;
  const sections: Section[] = [{ title: `Program ${program.id}`, entries: facts }];
  const { kernel } = program;
  if (!kernel) return [...sections, { title: "Kernel", entries: [["State", "not in the kernel: see sluice doctor"]] }];
  const entries = [
    ["Name", kernel.name],
    ["Type", kernel.type],
    ["Loaded at", kernel.loadedAt],
    ["Tag", kernel.tag],
    ["GPL compatible", kernel.gplCompatible],
    ["BTF ID", kernel.btfId || undefined],
    ["Size translated (bytes)", kernel.translatedBytes || undefined],
    ["JITed", kernel.jitedBytes > 0],
    ["Size JITed (bytes)", kernel.jitedBytes || undefined],
    ["Memory (bytes)", kernel.memoryBytes],
    ["Verified instructions", kernel.verifiedInstructions],
    [
      "Maps",
      kernel.maps.map((map) => `${map.id} ${map.name} (${map.keySize} -> ${map.valueSize} bytes, ${map.maxEntries})`),
    ],
  ] as const;
  return [...sections, { title: "Kernel", entries }];
}

/** The columns of `link list`. */
export const LINK_COLUMNS: readonly Column<LinkJson>[] = [
  { title: "LINK ID", align: "right", cell: ({ id }) => String(id) },
  { title: "KIND", cell: ({ kind }) => kind },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "FUNCTION NAME", cell: ({ programName }) => programName ?? "" },
  { title: "ATTACHMENT", cell: ({ attachment }) => attachment },
];

/** The sections of `link get`, and of what an attach answers. */
export function linkSections(link: LinkJson): Section[] {
  const { details } = link;
  const network = "device" in details;
  const entries = [
    ["Function", link.programName ?? undefined],
    ["Program ID", link.programId],
    ["Kind", link.kind],
    ["Attachment", link.attachment],
    ...(network ? ([["Interface", details.device]] as const) : []),
    ...(network ? ([["Priority", details.priority]] as const) : []),
    ...(network ? ([["Position", link.position]] as const) : []),
    ...(link.proceedOn ? ([["Proceed on", link.proceedOn.join(", ")]] as const) : []),
    ...(network ? ([["Network namespace", details.netns]] as const) : []),
    ["Metadata", pairs(link.metadata)],
  ] as const;
  const sections: Section[] = [{ title: `Link ${link.id}`, entries }];
  if (!link.kernel) return sections;
  const kernel = [
    ["Attached", link.kernel.attached],
    ["Link ID", link.kernel.linkId ?? undefined],
  ] as const;
  return [...sections, { title: "Kernel", entries: kernel }];
}

const holderText = ({ attachment }: DispatcherJson): string =>
  attachment.via === "clsact" ? `0x${attachment.handle.toString(16)}` : String(attachment.linkId);

/** The columns of `dispatcher list`. */
export const DISPATCHER_COLUMNS: readonly Column<DispatcherJson>[] = [
  { title: "HOOK", cell: ({ hook }) => hook },
  { title: "INTERFACE", cell: ({ device }) => device },
  { title: "IFINDEX", align: "right", cell: ({ ifindex }) => String(ifindex) },
  { title: "NSID", align: "right", cell: ({ nsid }) => String(nsid) },
  { title: "REVISION", align: "right", cell: ({ revision }) => String(revision) },
  { title: "ENGINE", cell: ({ engine }) => engine },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "VIA", cell: ({ attachment }) => attachment.via },
  { title: "LINK/HANDLE", align: "right", cell: (row) => holderText(row) },
  { title: "MEMBERS", align: "right", cell: ({ members }) => String(members.length) },
  { title: "NETNS", cell: ({ netns }) => netns ?? "-" },
];

/** The sections of `dispatcher get`, before the table of members. */
export function dispatcherSections(dispatcher: DispatcherJson): Section[] {
  const { attachment, hook, device, nsid, ifindex } = dispatcher;
  const holder =
    attachment.via === "clsact"
      ? (["Filter handle", holderText(dispatcher)] as const)
      : (["Link ID", holderText(dispatcher)] as const);
  const entries = [
    ["Revision", dispatcher.revision],
    ["Engine", dispatcher.engine],
    ["Program ID", String(dispatcher.programId)],
    ["Attached via", attachment.via],
    holder,
    ...(attachment.via === "xdp" ? ([["XDP mode", attachment.mode]] as const) : []),
    ["Network namespace", dispatcher.netns ?? undefined],
  ] as const;
  return [{ title: `Dispatcher ${hook} on ${device} (nsid ${nsid}, ifindex ${ifindex})`, entries }];
}

/** The columns of a dispatcher's members. */
export const MEMBER_COLUMNS: readonly Column<MemberJson>[] = [
  { title: "POS", align: "right", cell: ({ position }) => String(position) },
  { title: "PRIORITY", align: "right", cell: ({ priority }) => String(priority) },
  { title: "PROGRAM ID", align: "right", cell: ({ programId }) => String(programId) },
  { title: "FUNCTION NAME", cell: ({ name }) => name ?? "" },
  { title: "OWNER", cell: ({ owner }) => owner ?? "user" },
  { title: "LINK ID", align: "right", cell: ({ linkId }) => String(linkId) },
  { title: "PROCEED ON", cell: ({ proceedOnNames }) => proceedOnNames.join(",") },
];
