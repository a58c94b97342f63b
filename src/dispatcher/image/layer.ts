/**
 * The object file of a layer. Nothing is unpacked to disk: the one file that is wanted is taken out of the archive in
 * memory. Archives that would matter to somebody who unpacks them (names that lead elsewhere, links, devices) are refused
 * all the same, as nobody makes them for an object file.
 */
import { promisify } from "node:util";
import { gunzip, zstdDecompress } from "node:zlib";
import { type TarHeader, unpackTar } from "modern-tar";
import { messageOf } from "../../core/errors.ts";
import { checkBpfElf, isElf } from "../../linux/bpf/elf-codec.ts";
import { ImageFault, invalid, quoted } from "./fault.ts";
import { checkSize, layerLimit, type Limits, tooLarge } from "./limits.ts";

const BLOCK = 512;
/** Files of an archive: far more than an image for one object has. */
const MOST_ENTRIES = 1000;
const PACKINGS = [
  { name: "gzip", magic: [0x1f, 0x8b], unpack: promisify(gunzip) },
  { name: "zstd", magic: [0x28, 0xb5, 0x2f, 0xfd], unpack: promisify(zstdDecompress) },
] as const;

async function unpacked(layer: Uint8Array, limits: Limits): Promise<Uint8Array> {
  const packing = PACKINGS.find(({ magic }) => magic.every((byte, i) => layer[i] === byte));
  if (!packing) return layer;
  const limit = layerLimit(limits);
  try {
    return await packing.unpack(layer, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge("its layer, unpacked,", limit);
    throw invalid(`its layer is damaged ${packing.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** What an archive holds at one name. */
interface Entry {
  /** From the root of the archive, without `./`. */
  readonly name: string;
  readonly data: Uint8Array;
}

function checkEntry({ name, type, pax }: TarHeader): void {
  const shown = quoted(name);
  if (name.startsWith("/")) throw invalid(`its layer has the absolute name ${shown}`);
  if (name.split(/[/\\]/).includes("..")) throw invalid(`its layer has ${shown}, a name that leads out of it`);
  if (name.includes("\0")) throw invalid(`its layer has ${shown}, a name with a NUL byte`);
  if (type === "symlink" || type === "link") throw invalid(`its layer has a link, ${shown}`);
  if (type !== "file" && type !== "directory") throw invalid(`its layer has ${shown}, which is a ${type}`);
  if (pax && Object.keys(pax).some((key) => key.startsWith("GNU.sparse.")))
    throw invalid(`its layer has ${shown} with holes, which are not read`);
}

/** Reads the regular files of an archive. @throws ImageFault IMAGE_INVALID */
async function filesOf(archive: Uint8Array): Promise<Entry[]> {
  let entries = 0;
  const filter = (header: TarHeader): boolean => {
    entries += 1;
    if (entries > MOST_ENTRIES) throw invalid(`its layer has more than ${MOST_ENTRIES} files`);
    checkEntry(header);
    return header.type === "file";
  };
  try {
    const found = await unpackTar(archive, { strict: true, filter });
    return found.map(({ header, data }) => ({
      name: header.name.replace(/^(?:\.?\/+)+/, ""),
      data: data ?? new Uint8Array(),
    }));
  } catch (error) {
    if (error instanceof ImageFault) throw error;
    throw invalid(`its layer is no ELF object and no sound tar archive: ${messageOf(error)}`, { cause: error });
  }
}

function onlyObject(files: readonly Entry[]): Uint8Array {
  // Marks of files that a layer takes away begin with `.wh.`; they are no objects whatever they end with.
  const objects = files.filter(({ name }) => /^[^/]+\.o$/.test(name) && !name.startsWith(".wh."));
  const [object, ...others] = objects;
  const names = (list: readonly Entry[]): string =>
    list
      .slice(0, 5)
      .map(({ name }) => quoted(name))
      .join(", ");
  if (!object) throw invalid(`its layer has no object (.o) at its root, only ${names(files) || "nothing"}`);
  if (others.length > 0) throw invalid(`its layer has ${objects.length} objects, ${names(objects)}; wanted one`);
  return object.data;
}

/**
 * Takes the object out of a layer, which may be the object itself or a tar archive, packed with gzip or zstd or not at
 * all. Told from the bytes: what images say about their layers is not always so.
 *
 * @throws ImageFault IMAGE_INVALID, IMAGE_TOO_LARGE
 */
export async function extractObject(layer: Uint8Array, limits: Limits): Promise<Uint8Array> {
  const bytes = await unpacked(layer, limits);
  if (!isElf(bytes) && bytes.length < BLOCK) throw invalid("its layer is no ELF object and no tar archive");
  const object = isElf(bytes) ? bytes : onlyObject(await filesOf(bytes));
  checkSize(object.length, limits.object, "its object");
  const reason = checkBpfElf(object);
  if (reason !== undefined) throw invalid(`its object is not usable: ${reason}`);
  return object;
}
