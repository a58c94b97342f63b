/** The fused engine: members' instructions joined into one program. Works on every kernel with BTF for functions (5.10). */
import { existsSync } from "node:fs";
import { type Layout, U32 } from "../../core/layout.ts";
import { KERNEL_BTF, loadBtf } from "../../linux/bpf/btf.ts";
import { BpfMap, MAP_TYPE } from "../../linux/bpf/map.ts";
import { ATTACH_TYPE, bindMap, FLAG_XDP_HAS_FRAGS, loadProgram, PROGRAM_TYPE } from "../../linux/bpf/program.ts";
import { sluiceError } from "../../core/errors.ts";
import type { BuildMember } from "../actions.ts";
import { CONFIG_SIZE, decodeConfig, type DispatcherConfig, encodeConfig } from "../config-codec.ts";
import type { KernelContext } from "../executors/context.ts";
import { openMaps } from "../executors/objects.ts";
import { familyOf } from "../model.ts";
import { readCode } from "../state/read.ts";
import { configOf } from "./config.ts";
import { type Built, type BuildRequest, type Engine, hasFrags } from "./engine.ts";
import { fuse, type FusedMember } from "./fused-codec.ts";
import { attachMaps } from "./member-codec.ts";

/** The map that tells of a fused dispatcher what the read-only data tells of one with slots. */
const CONFIG_MAP = "sluice_config";

const CONFIG: Layout<DispatcherConfig> = {
  size: CONFIG_SIZE,
  write: (buffer, offset, value) => void encodeConfig(value).copy(buffer, offset),
  read: (buffer, offset) => decodeConfig(buffer.subarray(offset, offset + CONFIG_SIZE))!,
};

/** A member's instructions, from this plan or from the store, with the maps in. */
function prepare(context: KernelContext, member: BuildMember, owned: DisposableStack): FusedMember {
  const id = context.bindings.resolve(member.programId);
  const { name, mask } = member;
  const kept = context.loaded.get(id) ?? readCode(context.db(), id);
  if (!kept) throw sluiceError("PROGRAM_LOST", { id, name, what: "its instructions" });
  const paths = new Set(kept.references.map(({ map }) => map));
  return { name, mask, code: attachMaps(kept, openMaps(context, { id, name }, paths, owned)) };
}

/** Binds the configuration to the program, so that the kernel alone tells what it is made of. */
function describeInKernel(request: BuildRequest, program: Built["program"]): void {
  using map = BpfMap.create({ type: MAP_TYPE.ARRAY, name: CONFIG_MAP, maxEntries: 1 }, U32, CONFIG);
  map.set(0, configOf(request));
  bindMap(program, map.fd);
}

function build(context: KernelContext, request: BuildRequest, owned: DisposableStack): Built {
  using maps = new DisposableStack();
  const family = familyOf(request.hook);
  const members = request.members.map((member) => prepare(context, member, maps));
  const { code, btf, funcInfo } = fuse(family, members, existsSync(KERNEL_BTF) ? "global" : "static");
  using types = loadBtf(btf);
  const program = owned.use(
    loadProgram({
      type: family === "xdp" ? PROGRAM_TYPE.XDP : PROGRAM_TYPE.SCHED_CLS,
      // What libbpf says of a member, so that both may share a map of programs to jump to.
      expectedAttachType: family === "xdp" ? ATTACH_TYPE.XDP : 0,
      name: `sluice_${family}`,
      code,
      license: "GPL",
      flags: hasFrags(request) ? FLAG_XDP_HAS_FRAGS : 0,
      btf: { fd: types, funcInfo },
    }),
  );
  describeInKernel(request, program);
  return { program, slots: [] };
}

/** The engine. */
export const fused: Engine = { name: "fused", build };
