/** What an object file holds, read without the kernel's help. */
import { createHash } from "node:crypto";
import { messageOf, sluiceError } from "../core/errors.ts";
import { dataSections } from "../linux/bpf/btf-codec.ts";
import { checkBpfElf } from "../linux/bpf/elf-codec.ts";
import { MAP_TYPE } from "../linux/bpf/map.ts";
import { BpfObject } from "../linux/bpf/object.ts";
import { FLAG_XDP_HAS_FRAGS } from "../linux/bpf/program.ts";
import { mapPinName } from "./paths.ts";
import type { ObjectFacts } from "./plan/load.ts";

/** SHA-256 of an object file, in hex. */
export const digestOf = (image: Uint8Array): string => createHash("sha256").update(image).digest("hex");

/** Reads it. @throws SluiceError OBJECT_INVALID, BPF_LOAD */
export function readObject(label: string, image: Uint8Array): ObjectFacts {
  const reason = checkBpfElf(image);
  if (reason !== undefined) throw sluiceError("OBJECT_INVALID", { object: label, reason });
  try {
    using object = BpfObject.open(objectName(label), image);
    const types = object.btf();
    const variables = types ? [...dataSections(types).values()].flat() : [];
    return {
      digest: digestOf(image),
      license: object.license(),
      programs: object.programs().map(({ name, section, flags }) => ({
        name,
        section,
        // libbpf adds the flag of such a section only while it loads the program.
        frags: (flags & FLAG_XDP_HAS_FRAGS) !== 0 || /^xdp\.frags(\/|$)/.test(section),
      })),
      maps: object.maps().map((map) => ({ name: mapPinName(map), shared: map.pinByName })),
      tailCalls: object.maps().some(({ type }) => type === MAP_TYPE.PROG_ARRAY),
      globals: new Map(variables.map(({ name, size }) => [name, size])),
    };
  } catch (error) {
    throw sluiceError("OBJECT_INVALID", { object: label, reason: messageOf(error) }, { cause: error });
  }
}

/** The name that libbpf knows an object by, and that the names of its data maps begin with. */
export const objectName = (label: string): string =>
  label
    .replace(/^.*\//, "")
    .replace(/(\.bpf)?\.o$/, "")
    .replaceAll(/[^A-Za-z0-9_]/g, "_") || "object";
