/** How much an image may hold, and how long fetching it may take. */
import { humanBytes } from "../../core/units.ts";
import { ImageFault } from "./fault.ts";

const MIB = 1024 * 1024;

/** Bounds of one pull. */
export interface Limits {
  /** Most bytes of an index, a manifest or a configuration. */
  readonly document: number;
  /** Most bytes of the object file. */
  readonly object: number;
  /** Most milliseconds without a byte from the other side. */
  readonly stall: number;
  /** Most milliseconds for all requests together. */
  readonly total: number;
}

/** Documents as large as the distribution specification lets registries refuse larger ones. */
export const LIMITS: Limits = { document: 4 * MIB, object: 16 * MIB, stall: 30_000, total: 300_000 };

/** What a layer may have beyond its object, packed or not: the archive's headers and the compression's. */
const WRAPPING = MIB / 4;

/** Most bytes of a layer, as it is sent and unpacked. */
export const layerLimit = (limits: Limits): number => limits.object + WRAPPING;

/** Something larger than it may be; `actual` is its size in bytes, undefined when only that is known. */
export function tooLarge(what: string, limit: number, actual?: number): ImageFault {
  const size = actual === undefined ? "more" : `${actual} bytes`;
  return new ImageFault("IMAGE_TOO_LARGE", { what, actual: size, limit: `${limit} bytes (${humanBytes(limit)})` });
}

/** Checks a size in bytes that was announced. @throws ImageFault IMAGE_TOO_LARGE */
export function checkSize(size: number, limit: number, what: string): void {
  if (size > limit) throw tooLarge(what, limit, size);
}
