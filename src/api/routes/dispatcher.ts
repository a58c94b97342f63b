/** Routes of the dispatcher: programs, links, dispatchers, and what keeps them coherent. */
import * as v from "valibot";
import { digits, idParam, netns, word, yesNo } from "../schemas/common.ts";
import * as s from "../schemas/dispatcher.ts";
import { route } from "../route.ts";

/** Object files come with the request, in base64. */
const OBJECT_LIMIT = 48 << 20;

/** `KEY=VALUE` with commas, all of which something must carry. */
const metadata = v.exactOptional(v.pipe(v.string(), v.maxLength(8192)));

const changing = ["LOCK_TIMEOUT", "APPLY_ROLLED_BACK"] as const;

/** The rows. */
export const DISPATCHER_ROUTES = {
  "programs.list": route({
    method: "GET",
    path: "/v1/programs",
    summary: "The programs that sluice loaded, and those of others when asked",
    access: "read",
    query: v.object({
      all: v.exactOptional(yesNo, "false"),
      type: v.exactOptional(word(32)),
      metadata,
    }),
    response: s.programs,
    example: { query: { all: "true" } },
  }),
  "programs.get": route({
    method: "GET",
    path: "/v1/programs/{id}",
    summary: "One program: what it is, what the kernel says, its maps and links",
    access: "read",
    params: idParam,
    response: s.oneProgram,
    errors: ["PROGRAM_UNKNOWN", "PROGRAM_UNMANAGED"],
    example: { params: { id: "4294967295" }, status: 404 },
  }),
  "programs.load": route({
    method: "POST",
    path: "/v1/programs",
    summary: "Load programs of an object file, all or none",
    access: "change",
    body: s.loadFile,
    bodyLimit: OBJECT_LIMIT,
    response: v.union([s.loaded, s.planned]),
    errors: ["OBJECT_INVALID", "OBJECT_PROGRAM_MISSING", "BPF_LOAD", ...changing],
    example: {
      body: { objectBase64: "AAAA", path: "a.o", programs: [{ type: "xdp", name: "pass" }] },
      status: 422,
    },
  }),
  "programs.pull": route({
    method: "POST",
    path: "/v1/programs/image",
    summary: "Load programs of an OCI image",
    access: "change",
    body: s.loadImage,
    response: v.union([s.loaded, s.planned]),
    errors: ["IMAGE_REFERENCE", "IMAGE_UNREACHABLE", "IMAGE_NOT_CACHED", ...changing],
    example: { body: { image: "oci:/nowhere", programs: [{ type: "xdp", name: "pass" }] }, status: 404 },
  }),
  "programs.unload": route({
    method: "POST",
    path: "/v1/programs/unload",
    summary: "Detach and unload programs, each by itself",
    access: "change",
    body: s.removal,
    response: v.union([s.unloaded, s.planned]),
    errors: ["PROGRAM_UNKNOWN", "PROGRAM_UNMANAGED", ...changing],
    example: { body: { ids: [4_294_967_295], ignoreMissing: true } },
  }),
  "links.list": route({
    method: "GET",
    path: "/v1/links",
    summary: "What is attached",
    access: "read",
    query: v.object({
      kind: v.exactOptional(word(32)),
      programId: v.exactOptional(digits(1, 0xffff_ffff)),
      metadata,
    }),
    response: s.links,
    example: { query: { kind: "xdp" } },
  }),
  "links.get": route({
    method: "GET",
    path: "/v1/links/{id}",
    summary: "One link, and whether the kernel has it",
    access: "read",
    params: idParam,
    response: s.oneLink,
    errors: ["LINK_UNKNOWN", "LINK_UNMANAGED"],
    example: { params: { id: "4294967295" }, status: 404 },
  }),
  "links.attach": route({
    method: "POST",
    path: "/v1/links",
    summary: "Attach a program",
    access: "change",
    body: s.attach,
    response: v.union([s.attached, s.planned]),
    errors: ["PROGRAM_UNKNOWN", "PROGRAM_KIND", "DEVICE_MISSING", "DISPATCHER_FULL", ...changing],
    example: { body: { kind: "fentry", programId: 4_294_967_295 }, status: 404 },
  }),
  "links.detach": route({
    method: "POST",
    path: "/v1/links/detach",
    summary: "Detach links, each by itself",
    access: "change",
    body: s.removal,
    response: v.union([s.detached, s.planned]),
    errors: ["LINK_UNKNOWN", "LINK_UNMANAGED", ...changing],
    example: { body: { ids: [4_294_967_295], ignoreMissing: true } },
  }),
  "dispatchers.list": route({
    method: "GET",
    path: "/v1/dispatchers",
    summary: "Dispatchers with their members",
    access: "read",
    response: s.dispatchers,
    example: {},
  }),
  "dispatchers.get": route({
    method: "GET",
    path: "/v1/dispatchers/{hook}/{device}",
    summary: "One dispatcher with its members",
    access: "read",
    params: v.object({ hook: v.picklist(["xdp", "tc-ingress", "tc-egress"]), device: word(15) }),
    query: v.object({ netns: v.exactOptional(netns) }),
    response: s.oneDispatcher,
    errors: ["DISPATCHER_UNKNOWN", "DEVICE_MISSING", "NETNS_MISSING"],
    example: { params: { hook: "xdp", device: "lo" }, status: 404 },
  }),
  "doctor.check": route({
    method: "GET",
    path: "/v1/doctor",
    summary: "Where store, kernel and pins disagree",
    access: "read",
    response: s.findings,
    example: {},
  }),
  "doctor.rules": route({
    method: "GET",
    path: "/v1/doctor/rules",
    summary: "What the doctor looks for, and why",
    access: "read",
    response: s.rules,
    example: {},
  }),
  gc: route({
    method: "POST",
    path: "/v1/gc",
    summary: "Bring store, kernel and pins together",
    access: "change",
    body: s.gc,
    response: v.union([s.collected, s.planned]),
    errors: [...changing],
    example: { body: { plan: true } },
  }),
} as const;
