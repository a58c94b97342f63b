/** Where images come from: a registry, or a folder. */
import type { Descriptor } from "./document.ts";

/** A document with its digest. */
export interface Named {
  readonly bytes: Uint8Array;
  readonly digest: string;
}

/** Gives the parts of one image. What it gives has the digest it was asked for, and no more bytes than was said. */
export interface ImageSource {
  /** The index or manifest that the reference names. @throws ImageFault */
  top(): Promise<Named>;
  /** A manifest that an index names. @throws ImageFault */
  manifest(descriptor: Descriptor): Promise<Uint8Array>;
  /** A configuration or layer that a manifest names; `what` is the subject of messages. @throws ImageFault */
  blob(descriptor: Descriptor, what: string): Promise<Uint8Array>;
}
