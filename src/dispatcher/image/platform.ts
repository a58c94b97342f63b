/** Which image of several is for this machine. BPF is the same everywhere, but what programs trace is not. */
import { endianness } from "node:os";
import type { Descriptor, Index, Platform } from "./document.ts";
import { ImageFault, invalid } from "./fault.ts";

const little = endianness() === "LE";
/** Go's names of architectures where Node's differ. */
const NAMES: Readonly<Record<string, string>> = {
  x64: "amd64",
  ia32: "386",
  ppc64: little ? "ppc64le" : "ppc64",
  mips: little ? "mipsle" : "mips",
  mipsel: "mipsle",
};

/** The architecture as images name it, of this machine by default. */
export const imageArchitecture = (nodes: string = process.arch): string => NAMES[nodes] ?? nodes;

const shown = ({ os, architecture }: Platform): string => `${os}/${architecture}`;
/** Builders add what is no image, such as attestations, for a platform of this name. */
const isKnown = ({ os, architecture }: Platform): boolean => os !== "unknown" && architecture !== "unknown";

function mismatch(wanted: Platform, found: readonly Platform[]): ImageFault {
  const names = [...new Set(found.map((platform) => shown(platform)))].toSorted();
  // The names come from the image.
  const list = names.join(", ").replaceAll(/[^\w/., -]/g, "?");
  return new ImageFault("IMAGE_PLATFORM", { found: list || "no platform", wanted: shown(wanted) });
}

/**
 * The image of an index for Linux on this architecture; the only one, when it does not say what it is for.
 *
 * @throws ImageFault IMAGE_PLATFORM, IMAGE_INVALID
 */
export function choosePlatform({ manifests }: Index, architecture: string): Descriptor {
  const wanted = { os: "linux", architecture };
  const fitting = manifests.find(({ platform }) => platform && shown(platform) === shown(wanted));
  if (fitting) return fitting;
  const [only, ...others] = manifests;
  if (!only) throw invalid("its index is empty");
  if (others.length === 0 && !only.platform) return only;
  throw mismatch(
    wanted,
    manifests.flatMap(({ platform }) => (platform && isKnown(platform) ? platform : [])),
  );
}

/** Checks the platform that an image without an index says it is for. @throws ImageFault IMAGE_PLATFORM */
export function checkPlatform(platform: Platform | undefined, architecture: string): void {
  const wanted = { os: "linux", architecture };
  if (platform && isKnown(platform) && shown(platform) !== shown(wanted)) throw mismatch(wanted, [platform]);
}
