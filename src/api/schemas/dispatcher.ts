/** The dispatcher's answers and what it is asked. */
import * as v from "valibot";
import { action, answer, count, device, id, lockTimeout, netns, pairs, warnings, word } from "./common.ts";

/** What programs can be loaded as. */
const programType = v.picklist([
  "xdp",
  "tc",
  "tcx",
  "tracepoint",
  "kprobe",
  "kretprobe",
  "uprobe",
  "uretprobe",
  "fentry",
  "fexit",
]);

const source = v.variant("kind", [
  v.object({ kind: v.literal("file"), path: v.string() }),
  v.object({ kind: v.literal("image"), url: v.string(), digest: v.string(), pullPolicy: v.string() }),
  v.object({ kind: v.literal("builtin"), name: v.string() }),
]);

const mapJson = v.object({
  id: count,
  name: v.string(),
  type: count,
  keySize: count,
  valueSize: count,
  maxEntries: count,
});

const kernelProgram = v.object({
  id: count,
  name: v.string(),
  type: v.string(),
  tag: v.string(),
  loadedAt: v.string(),
  uid: count,
  gplCompatible: v.boolean(),
  btfId: count,
  mapIds: v.array(count),
  jitedBytes: count,
  translatedBytes: count,
  memoryBytes: count,
  verifiedInstructions: count,
  runCount: v.number(),
  runTimeNanoseconds: v.number(),
  maps: v.array(mapJson),
});

/** A program of ours. */
export const program = v.object({
  id,
  name: v.string(),
  type: programType,
  attachFunction: v.nullable(v.string()),
  section: v.string(),
  license: v.string(),
  gplCompatible: v.boolean(),
  source,
  bytecodeSha256: v.string(),
  globalsBase64: v.record(v.string(), v.string()),
  metadata: v.record(v.string(), v.string()),
  application: v.nullable(v.string()),
  owner: v.nullable(v.string()),
  mapOwner: v.nullable(count),
  mapUsedBy: v.array(count),
  pin: v.string(),
  loadedAt: v.string(),
  links: v.array(count),
  /** The same links in words. */
  attachments: v.array(v.object({ linkId: count, text: v.string() })),
  kernel: v.nullable(kernelProgram),
});

/** A program as JSON has it. */
export type ProgramJson = v.InferOutput<typeof program>;

/** A program in a list: one of ours, or one that others loaded. */
export const listedProgram = v.variant("managed", [
  v.object({ managed: v.literal(true), ...program.entries }),
  v.object({ managed: v.literal(false), id, name: v.string(), type: v.nullable(v.string()) }),
]);

/** A program in a list as JSON has it. */
export type ListedProgram = v.InferOutput<typeof listedProgram>;

const network = {
  nsid: count,
  ifindex: count,
  device: v.string(),
  netns: v.exactOptional(v.string()),
  priority: count,
};
const member = { ...network, hook: v.string(), position: count, proceedOn: v.array(v.number()) };

const linkDetails = v.variant("kind", [
  v.object({ kind: v.picklist(["xdp", "tc"]), ...member }),
  v.object({ kind: v.literal("tcx"), side: v.picklist(["ingress", "egress"]), ...network }),
  v.object({ kind: v.literal("tracepoint"), group: v.string(), name: v.string() }),
  v.object({ kind: v.literal("kprobe"), function: v.string(), offset: v.number(), returns: v.boolean() }),
  v.object({
    kind: v.literal("uprobe"),
    target: v.string(),
    function: v.exactOptional(v.string()),
    offset: v.number(),
    pid: v.exactOptional(v.number()),
    containerPid: v.exactOptional(v.number()),
    returns: v.boolean(),
  }),
  v.object({ kind: v.picklist(["fentry", "fexit"]), function: v.string() }),
]);

/** A link. */
export const link = v.object({
  id,
  programId: count,
  programName: v.nullable(v.string()),
  kind: v.string(),
  /** In words. */
  attachment: v.string(),
  /** Its rank in the dispatcher, or in the kernel's own chain. */
  position: v.exactOptional(count),
  /** Names of the verdicts after which the chain goes on. */
  proceedOn: v.exactOptional(v.array(v.string())),
  details: linkDetails,
  metadata: v.record(v.string(), v.string()),
  createdAt: v.string(),
  kernel: v.exactOptional(v.object({ attached: v.boolean(), linkId: v.nullable(count) })),
});

/** A link as JSON has it. */
export type LinkJson = v.InferOutput<typeof link>;

const attachment = v.variant("via", [
  v.object({ via: v.literal("xdp"), linkId: count, mode: v.string() }),
  v.object({ via: v.literal("tcx"), linkId: count }),
  v.object({ via: v.literal("clsact"), handle: count }),
]);

/** A member of a dispatcher. */
export const memberJson = v.object({
  linkId: count,
  programId: count,
  name: v.nullable(v.string()),
  owner: v.nullable(v.string()),
  position: count,
  priority: count,
  proceedOn: v.array(v.number()),
  proceedOnNames: v.array(v.string()),
  proceedOnMask: count,
  metadata: v.record(v.string(), v.string()),
});

/** A dispatcher with its members. */
export const dispatcher = v.object({
  hook: v.picklist(["xdp", "tc-ingress", "tc-egress"]),
  nsid: count,
  ifindex: count,
  device: v.string(),
  netns: v.nullable(v.string()),
  revision: count,
  engine: v.string(),
  programId: count,
  attachment,
  /** Most members it can have. */
  slots: count,
  members: v.array(memberJson),
});

/** A dispatcher as JSON has it. */
export type DispatcherJson = v.InferOutput<typeof dispatcher>;
/** A member as JSON has it. */
export type MemberJson = v.InferOutput<typeof memberJson>;

/** What a change would do. */
export const planned = answer("dispatcher-plan", { actions: v.array(action), warnings });

/** A plan that is only shown, as JSON has it. */
export type PlannedJson = v.InferOutput<typeof planned>;

/** Programs in a list. */
export const programs = answer("programs", { programs: v.array(listedProgram) });
/** One program. */
export const oneProgram = answer("program", { program });
/** Programs that were loaded. */
export const loaded = answer("programs", { programs: v.array(program), warnings });
/** Links in a list. */
export const links = answer("links", { links: v.array(link) });
/** One link. */
export const oneLink = answer("link", { link });
/** The link that was made. */
export const attached = answer("link", { link, warnings });
/** Dispatchers. */
export const dispatchers = answer("dispatchers", { dispatchers: v.array(dispatcher) });
/** One dispatcher. */
export const oneDispatcher = answer("dispatcher", { dispatcher });

const failed = v.array(v.object({ id: count, message: v.string() }));
/** Programs that were unloaded, and those that could not be. */
export const unloaded = answer("programs-unloaded", { unloaded: v.array(count), failed, warnings });
/** Links that were detached, and those that could not be. */
export const detached = answer("links-detached", { detached: v.array(count), failed, warnings });

/** What cleaning up did. */
export const collected = answer("gc", {
  actions: v.array(action),
  removed: v.object({ programs: count, dispatchers: count, links: count, pins: count }),
  mended: count,
  /** Findings that are not sluice's to mend. */
  left: v.array(v.object({ rule: v.string(), severity: v.picklist(["error", "warning"]), message: v.string() })),
  warnings,
});

/** What the doctor found. */
export const findings = answer("doctor", { findings: collected.entries.left });

/** The doctor's rules. */
export const rules = answer("doctor-rules", {
  rules: v.array(
    v.object({
      rule: v.string(),
      severity: v.picklist(["error", "warning"]),
      brief: v.string(),
      rationale: v.string(),
    }),
  ),
});

const change = { plan: v.exactOptional(v.boolean(), false), lockTimeout };
const programWanted = v.strictObject({
  type: programType,
  name: word(),
  attachFunction: v.exactOptional(word()),
});
const loading = {
  globals: v.exactOptional(v.record(word(), v.pipe(v.string(), v.maxLength(1 << 20), v.regex(/^([0-9a-f]{2})*$/))), {}),
  metadata: v.exactOptional(pairs, {}),
  mapOwner: v.exactOptional(id),
  ...change,
};

/** An object file and what to load of it. */
export const loadFile = v.strictObject({
  /** The object file. */
  objectBase64: v.pipe(v.string(), v.base64(), v.minLength(1)),
  /** Where the caller has it. */
  path: word(4096),
  programs: v.pipe(v.array(programWanted), v.minLength(1), v.maxLength(256)),
  ...loading,
});

/** An image and what to load of it. */
export const loadImage = v.strictObject({
  image: word(4096),
  pullPolicy: v.exactOptional(v.picklist(["Always", "IfNotPresent", "Never"]), "IfNotPresent"),
  /** Base64 of user:password. */
  registryAuth: v.exactOptional(word(4096)),
  /** Everything that the image's labels name when left out. */
  programs: v.exactOptional(v.pipe(v.array(programWanted), v.maxLength(256))),
  ...loading,
});

/** Ids of what is to be taken away. */
export const removal = v.strictObject({
  ids: v.pipe(v.array(id), v.minLength(1), v.maxLength(1024)),
  ignoreMissing: v.exactOptional(v.boolean(), false),
  reclaimClsact: v.exactOptional(v.boolean(), false),
  ...change,
});

const attaching = { programId: id, metadata: v.exactOptional(pairs, {}), ...change };
const onDevice = {
  ...attaching,
  device,
  netns: v.exactOptional(netns),
  priority: v.pipe(v.number(), v.integer()),
};
const engine = v.exactOptional(v.picklist(["fused", "freplace"]));
const proceedOn = v.exactOptional(v.pipe(v.array(word(32)), v.maxLength(32)));
const offset = v.exactOptional(v.pipe(v.number(), v.integer()), 0);
const pid = v.exactOptional(v.pipe(v.number(), v.integer()));

/** Where a program is to be attached. */
export const attach = v.variant("kind", [
  v.strictObject({
    kind: v.literal("xdp"),
    ...onDevice,
    engine,
    proceedOn,
    xdpMode: v.exactOptional(v.picklist(["auto", "native", "generic"])),
  }),
  v.strictObject({
    kind: v.literal("tc"),
    ...onDevice,
    direction: v.picklist(["ingress", "egress"]),
    engine,
    proceedOn,
    tcHook: v.exactOptional(v.picklist(["clsact", "tcx"])),
  }),
  v.strictObject({ kind: v.literal("tcx"), ...onDevice, direction: v.picklist(["ingress", "egress"]) }),
  v.strictObject({ kind: v.literal("tracepoint"), ...attaching, group: word(), name: word() }),
  v.strictObject({ kind: v.literal("kprobe"), ...attaching, function: word(), offset }),
  v.strictObject({
    kind: v.literal("uprobe"),
    ...attaching,
    target: word(4096),
    function: v.exactOptional(word()),
    offset,
    pid,
    containerPid: pid,
  }),
  v.strictObject({ kind: v.picklist(["fentry", "fexit"]), ...attaching }),
]);

/** How to clean up. */
export const gc = v.strictObject(change);
