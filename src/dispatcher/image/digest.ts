/** Digests: every part of an image is named by the SHA-256 of its bytes, and is used only when it has it. */
import { hash } from "node:crypto";
import { ImageFault } from "./fault.ts";

const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Whether a text is a digest that can be checked here: `sha256:` and 64 hex digits in lower case. */
export const isDigest = (text: string): boolean => DIGEST.test(text);

/** The digest of some bytes. */
export const digestOf = (bytes: Uint8Array): string => `sha256:${hash("sha256", bytes, "hex")}`;

/** The hex digits of a digest, as names of files have them. */
export const hexOf = (digest: string): string => digest.slice("sha256:".length);

/** Passes bytes through that have the digest. @throws ImageFault IMAGE_DIGEST, with `what` as its subject */
export function verified(bytes: Uint8Array, digest: string, what: string): Uint8Array {
  const actual = digestOf(bytes);
  if (actual !== digest) throw new ImageFault("IMAGE_DIGEST", { what, actual, wanted: digest });
  return bytes;
}
