/**
 * Images that were used before, so that they can be loaded again without a registry. Below one folder:
 *
 *     blobs/sha256/<hex>          indexes, manifests, configurations, layers, by digest
 *     references/<hex>.json       which document a reference named last; the name is the reference's SHA-256
 *
 * Every file is put in place in one step and none is ever changed, so several processes may share the folder. What does
 * not have its digest when it is read counts as not there.
 */
import { join } from "node:path";
import { messageOf, sluiceError } from "../../core/errors.ts";
import { digestOf, hexOf, isDigest } from "./digest.ts";
import { readFileUpTo, writeFileWhole } from "./files.ts";
import { isRecord } from "./json.ts";
import type { Named } from "./source.ts";

const MOST_OF_A_REFERENCE = 4096;

/** The cache below a folder, which need not exist. */
export class ImageCache {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #blobPath(digest: string): string {
    return join(this.#folder, "blobs", "sha256", hexOf(digest));
  }

  #referencePath(reference: string): string {
    return join(this.#folder, "references", `${hexOf(digestOf(Buffer.from(reference)))}.json`);
  }

  async #guarded<T>(action: string, file: string, body: () => Promise<T>): Promise<T> {
    try {
      return await body();
    } catch (error) {
      throw sluiceError("PATH_UNUSABLE", { action, file, reason: messageOf(error) }, { cause: error });
    }
  }

  #read(file: string, limit: number): Promise<Uint8Array | undefined> {
    return this.#guarded("read", file, () => readFileUpTo(file, limit));
  }

  #write(file: string, bytes: Uint8Array): Promise<void> {
    return this.#guarded("write", file, () => writeFileWhole(file, bytes));
  }

  /** A blob of at most `limit` bytes; undefined when it is not there or not sound. @throws SluiceError PATH_UNUSABLE */
  async blob(digest: string, limit: number): Promise<Uint8Array | undefined> {
    const bytes = await this.#read(this.#blobPath(digest), limit);
    return bytes && digestOf(bytes) === digest ? bytes : undefined;
  }

  /** Keeps a blob. @throws SluiceError PATH_UNUSABLE */
  keep({ digest, bytes }: Named): Promise<void> {
    return this.#write(this.#blobPath(digest), bytes);
  }

  /** The digest of what a reference named last; undefined when that is not known. @throws SluiceError PATH_UNUSABLE */
  async resolve(reference: string): Promise<string | undefined> {
    const bytes = await this.#read(this.#referencePath(reference), MOST_OF_A_REFERENCE);
    try {
      const value: unknown = JSON.parse(Buffer.from(bytes ?? []).toString("utf8"));
      if (!isRecord(value) || value["reference"] !== reference) return undefined;
      const { digest } = value;
      return typeof digest === "string" && isDigest(digest) ? digest : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps what a reference names. @throws SluiceError PATH_UNUSABLE */
  remember(reference: string, digest: string): Promise<void> {
    const text = `${JSON.stringify({ reference, digest }, null, 2)}\n`;
    return this.#write(this.#referencePath(reference), Buffer.from(text));
  }
}
