/** The commands of the dispatcher: programs, links, dispatchers, and what keeps them coherent. */
import { buildCommand, buildRouteMap } from "@stricli/core";
import { argument, direct, flag, json, lockTimeout, netns, text, texts, tuple } from "./flags.ts";

const change = { json, direct, lockTimeout, plan: flag("Show what would be done, and do nothing") } as const;
const metadata = texts("Keep these with it", "KEY=VALUE");
const ignoreMissing = flag("Do not mind ids that are not there");
const ids = (noun: string) =>
  ({ kind: "array", parameter: argument(`${noun} id, decimal or 0x hex`, "ID"), minimum: 1 }) as const;
const programId = argument("Program id, decimal or 0x hex", "PROGRAM");
const device = argument("Interface", "INTERFACE");
const side = argument("ingress or egress", "DIRECTION");

const loading = {
  ...change,
  programs: { ...texts("What to load", "TYPE:FUNCTION[:ATTACH]"), optional: false },
  global: texts("Set global data: bytes in hex, in the order of memory", "NAME=HEX"),
  metadata,
  application: text("Keep the name of the application it belongs to", "NAME"),
  mapOwner: text("Share the maps of this program", "ID"),
} as const;
const loadingAliases = { j: "json", g: "global", m: "metadata", a: "application" } as const;

const loadFile = buildCommand({
  loader: () => import("./commands/program/load-file.ts"),
  parameters: { flags: loading, aliases: loadingAliases, positional: tuple(argument("Object file", "FILE")) },
  docs: { brief: "Load programs of an object file, all or none" },
});

const loadImage = buildCommand({
  loader: () => import("./commands/program/load-image.ts"),
  parameters: {
    flags: {
      ...loading,
      programs: texts("What to load; everything that the image's labels name when left out", "TYPE:FUNCTION[:ATTACH]"),
      pullPolicy: {
        kind: "enum",
        values: ["Always", "IfNotPresent", "Never"],
        brief: "When to ask the registry",
        default: "IfNotPresent",
      },
      registryAuth: text("Base64 of user:password (or the variable SLUICE_REGISTRY_AUTH)", "BASE64"),
    },
    aliases: { ...loadingAliases, p: "pullPolicy" },
    positional: tuple(argument("Image, or oci:FOLDER", "IMAGE")),
  },
  docs: { brief: "Load programs of an OCI image" },
});

const load = buildRouteMap({
  routes: { file: loadFile, image: loadImage },
  docs: { brief: "Load programs into the kernel" },
});

const unload = buildCommand({
  loader: () => import("./commands/program/unload.ts"),
  parameters: { flags: { ...change, ignoreMissing }, aliases: { j: "json" }, positional: ids("Program") },
  docs: { brief: "Detach and unload programs" },
});

const programList = buildCommand({
  loader: () => import("./commands/program/list.ts"),
  parameters: {
    flags: {
      json,
      direct,
      all: flag("Also those that others loaded"),
      type: text("Only of this type", "TYPE"),
      application: text("Only of this application", "NAME"),
      metadata: texts("Only with all of these", "KEY=VALUE"),
      quiet: flag("Ids only"),
    },
    aliases: { j: "json", a: "all", m: "metadata", q: "quiet" },
  },
  docs: { brief: "The programs that sluice loaded" },
});

const programGet = buildCommand({
  loader: () => import("./commands/program/get.ts"),
  parameters: { flags: { json, direct }, aliases: { j: "json" }, positional: tuple(programId) },
  docs: { brief: "One program: what it is, what the kernel says, its maps and links" },
});

const network = {
  ...change,
  priority: { ...text("Lower runs earlier; 0 or more", "N"), optional: false },
  netns,
  metadata,
} as const;
const networkAliases = { j: "json", p: "priority", n: "netns", m: "metadata" } as const;
const engine = {
  kind: "enum",
  values: ["fused", "freplace"],
  brief: "How the dispatcher calls its members (default: what it has, else what the kernel can)",
  optional: true,
} as const;

const attachXdp = buildCommand({
  loader: () => import("./commands/link/attach-xdp.ts"),
  parameters: {
    flags: {
      ...network,
      engine,
      proceedOn: texts("Verdicts after which the chain goes on (default pass,dispatcher_return)", "VERDICTS"),
      xdpMode: {
        kind: "enum",
        values: ["auto", "native", "generic"],
        brief: "In the driver or in the network stack; counts for the first program on an interface",
        optional: true,
      },
    },
    aliases: networkAliases,
    positional: tuple(programId, device),
  },
  docs: { brief: "Attach an XDP program to an interface, beside others" },
});

const attachTc = buildCommand({
  loader: () => import("./commands/link/attach-tc.ts"),
  parameters: {
    flags: {
      ...network,
      engine,
      proceedOn: texts("Verdicts after which the chain goes on (default pipe,dispatcher_return)", "VERDICTS"),
      tcHook: {
        kind: "enum",
        values: ["clsact", "tcx"],
        brief: "A filter on clsact, or TCX; counts for the first program on a side",
        optional: true,
      },
    },
    aliases: networkAliases,
    positional: tuple(programId, device, side),
  },
  docs: { brief: "Attach a TC program to a side of an interface, beside others" },
});

const attachTcx = buildCommand({
  loader: () => import("./commands/link/attach-tcx.ts"),
  parameters: { flags: network, aliases: networkAliases, positional: tuple(programId, device, side) },
  docs: { brief: "Attach a TCX program to the kernel's own chain" },
});

const trace = { ...change, metadata } as const;
const traceAliases = { j: "json", m: "metadata" } as const;

const attachTracepoint = buildCommand({
  loader: () => import("./commands/link/attach-tracepoint.ts"),
  parameters: {
    flags: trace,
    aliases: traceAliases,
    positional: tuple(programId, argument("Tracepoint", "GROUP/NAME")),
  },
  docs: { brief: "Attach a program to a tracepoint" },
});

const attachKprobe = buildCommand({
  loader: () => import("./commands/link/attach-kprobe.ts"),
  parameters: {
    flags: { ...trace, offset: text("Bytes into the function", "N") },
    aliases: traceAliases,
    positional: tuple(programId, argument("Kernel function", "FUNCTION")),
  },
  docs: { brief: "Attach a program to a kernel function" },
});

const attachUprobe = buildCommand({
  loader: () => import("./commands/link/attach-uprobe.ts"),
  parameters: {
    flags: {
      ...trace,
      function: text("Function of the target", "NAME"),
      offset: text("Bytes into the function, or into the file", "N"),
      pid: text("Only in this process", "PID"),
      containerPid: text("The target is in the root directory of this process", "PID"),
    },
    aliases: { ...traceAliases, f: "function" },
    positional: tuple(programId, argument("Program or library", "TARGET")),
  },
  docs: { brief: "Attach a program to a function of a program or library" },
});

const attachFentry = buildCommand({
  loader: async () => (await import("./commands/link/attach-tracing.ts")).fentry,
  parameters: { flags: trace, aliases: traceAliases, positional: tuple(programId) },
  docs: { brief: "Attach an fentry program to the function it was loaded for" },
});

const attachFexit = buildCommand({
  loader: async () => (await import("./commands/link/attach-tracing.ts")).fexit,
  parameters: { flags: trace, aliases: traceAliases, positional: tuple(programId) },
  docs: { brief: "Attach an fexit program to the function it was loaded for" },
});

const attach = buildRouteMap({
  routes: {
    xdp: attachXdp,
    tc: attachTc,
    tcx: attachTcx,
    tracepoint: attachTracepoint,
    kprobe: attachKprobe,
    uprobe: attachUprobe,
    fentry: attachFentry,
    fexit: attachFexit,
  },
  docs: { brief: "Attach loaded programs" },
});

const detach = buildCommand({
  loader: () => import("./commands/link/detach.ts"),
  parameters: {
    flags: {
      ...change,
      ignoreMissing,
      reclaimClsact: flag("With the last program, remove a clsact qdisc that sluice made and nobody else uses"),
    },
    aliases: { j: "json" },
    positional: ids("Link"),
  },
  docs: { brief: "Detach links; the programs stay loaded" },
});

const linkList = buildCommand({
  loader: () => import("./commands/link/list.ts"),
  parameters: {
    flags: {
      json,
      direct,
      kind: text("Only of this kind", "KIND"),
      programId: text("Only of this program", "ID"),
      metadata: texts("Only with all of these", "KEY=VALUE"),
      quiet: flag("Ids only"),
    },
    aliases: { j: "json", m: "metadata", q: "quiet" },
  },
  docs: { brief: "What is attached where" },
});

const linkGet = buildCommand({
  loader: () => import("./commands/link/get.ts"),
  parameters: {
    flags: { json, direct },
    aliases: { j: "json" },
    positional: tuple(argument("Link id, decimal or 0x hex", "LINK")),
  },
  docs: { brief: "One link: where, in which order, and whether the kernel has it" },
});

const dispatcherList = buildCommand({
  loader: () => import("./commands/dispatcher/list.ts"),
  parameters: { flags: { json, direct }, aliases: { j: "json" } },
  docs: { brief: "The hooks that programs share" },
});

const dispatcherGet = buildCommand({
  loader: () => import("./commands/dispatcher/get.ts"),
  parameters: {
    flags: { json, direct, netns },
    aliases: { j: "json", n: "netns" },
    positional: tuple(argument("xdp, tc-ingress or tc-egress", "HOOK"), device),
  },
  docs: { brief: "One dispatcher with its members in their order" },
});

const doctorCheck = buildCommand({
  loader: () => import("./commands/doctor/check.ts"),
  parameters: { flags: { json, direct }, aliases: { j: "json" } },
  docs: { brief: "Compare the store, the kernel and the pins" },
});

const doctorExplain = buildCommand({
  loader: () => import("./commands/doctor/explain.ts"),
  parameters: {
    flags: { json, direct },
    aliases: { j: "json" },
    positional: {
      kind: "tuple",
      parameters: [{ ...argument("Rule; all of them when left out", "RULE"), optional: true }],
    },
  },
  docs: { brief: "What a rule of the doctor looks for, and why it matters" },
});

/** `sluice program`. */
export const program = buildRouteMap({
  routes: { load, unload, list: programList, get: programGet },
  docs: { brief: "eBPF programs" },
});

/** `sluice link`. */
export const link = buildRouteMap({
  routes: { attach, detach, list: linkList, get: linkGet },
  docs: { brief: "Attachments of programs" },
});

/** `sluice dispatcher`. */
export const dispatcher = buildRouteMap({
  routes: { list: dispatcherList, get: dispatcherGet },
  docs: { brief: "Hooks of interfaces that several programs share" },
});

/** `sluice doctor`. */
export const doctor = buildRouteMap({
  routes: { check: doctorCheck, explain: doctorExplain },
  defaultCommand: "check",
  docs: { brief: "Find what is not as it should be; changes nothing" },
});

/** `sluice gc`. */
export const gc = buildCommand({
  loader: () => import("./commands/gc.ts"),
  parameters: { flags: change, aliases: { j: "json" } },
  docs: { brief: "Mend what the doctor finds, as far as it is sluice's own" },
});
