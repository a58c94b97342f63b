/**
 * The freplace engine: a fixed program with ten functions, which members replace (BPF EXT). The members stay programs of
 * their own, with counters and names of their own in bpftool.
 */
import { mkdirSync, readFileSync } from "node:fs";
import { dirname } from "node:path";
import { sluiceError } from "../../core/errors.ts";
import { readBtf } from "../../linux/bpf/btf.ts";
import { programInfo } from "../../linux/bpf/info.ts";
import { createFreplaceLink } from "../../linux/bpf/link.ts";
import { BpfObject } from "../../linux/bpf/object.ts";
import { openPin, pin } from "../../linux/bpf/pin.ts";
import { FLAG_XDP_HAS_FRAGS, PROGRAM_TYPE } from "../../linux/bpf/program.ts";
import { Fd } from "../../linux/fd.ts";
import { encodeConfig } from "../config-codec.ts";
import { type KernelContext, pinPath } from "../executors/context.ts";
import { familyOf } from "../model.ts";
import { objectName } from "../object.ts";
import { extensionPin, mapPin, mapPinName, sharedPin } from "../paths.ts";
import { readBytecode, readProgramSource } from "../state/read.ts";
import type { VerdictFamily } from "../proceed-on.ts";
import { configOf } from "./config.ts";
import { type Built, type BuildRequest, type Engine, hasFrags } from "./engine.ts";

const OBJECTS: Readonly<Record<VerdictFamily, URL>> = {
  xdp: new URL("../../../bpf/dispatcher-xdp.bpf.o", import.meta.url),
  tc: new URL("../../../bpf/dispatcher-tc.bpf.o", import.meta.url),
};
const BTF_KIND_FUNC = 12;

/** Loads the fixed program with this revision's configuration. */
function loadStub(request: BuildRequest, owned: DisposableStack): Fd {
  const family = familyOf(request.hook);
  using object = BpfObject.open("sluice", readFileSync(OBJECTS[family]));
  object.setReadOnlyData(encodeConfig(configOf(request)));
  if (hasFrags(request)) object.setFlags(`sluice_${family}`, FLAG_XDP_HAS_FRAGS);
  object.load();
  return owned.use(Fd.duplicate(object.programFd(`sluice_${family}`)));
}

/**
 * A member as an extension: loaded from its object file once, with the maps of the program that the user loaded, and put
 * into the slots of every dispatcher that the program is attached to.
 */
function extensionOf(context: KernelContext, id: number, name: string, target: Fd, owned: DisposableStack): Fd {
  const path = pinPath(context, extensionPin(id));
  const pinned = openPin(path);
  if (pinned) return owned.use(pinned);
  const source = readProgramSource(context.db(), id) ?? context.loaded.get(id)?.source;
  const image = source && (context.images.get(source.bytecode) ?? readBytecode(context.db(), source.bytecode));
  if (!source || !image) throw sluiceError("PROGRAM_LOST", { id, name, what: "its object file" });
  using object = BpfObject.open(objectName(name), image);
  object.loadOnly([name]);
  object.setType(name, PROGRAM_TYPE.EXT);
  object.setExpectedAttachType(name, 0);
  object.setAttachTarget(name, target.number, "prog0");
  for (const map of object.maps()) {
    const own = mapPinName(map);
    using there =
      openPin(pinPath(context, mapPin(source.mapSet, own))) ?? openPin(pinPath(context, sharedPin(own))) ?? new Fd(-1);
    if (there.isOpen) object.reuseMap(map.name, there);
  }
  object.load();
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  pin(object.programFd(name), path);
  return owned.use(Fd.duplicate(object.programFd(name)));
}

/** The BTF ids of the slots of a loaded dispatcher. */
function slotIds(program: Fd): (slot: number) => number {
  const types = readBtf(programInfo(program.number).btfId);
  return (slot) => {
    const found = types?.findByName(`prog${slot}`, BTF_KIND_FUNC);
    if (found === undefined) throw new TypeError(`The dispatcher has no function prog${slot}`);
    return found;
  };
}

function build(context: KernelContext, request: BuildRequest, owned: DisposableStack): Built {
  const program = loadStub(request, owned);
  const slotId = slotIds(program);
  const slots = request.members.map((member, slot) => {
    const id = context.bindings.resolve(member.programId);
    const extension = extensionOf(context, id, member.name, program, owned);
    return owned.use(createFreplaceLink(extension, program, slotId(slot)));
  });
  return { program, slots };
}

/** The engine. */
export const freplace: Engine = { name: "freplace", build };
