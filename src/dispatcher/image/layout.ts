/** Images in a folder of the OCI image layout, as `skopeo copy ... oci:FOLDER` or `docker buildx` write it. */
import { join } from "node:path";
import { messageOf } from "../../core/errors.ts";
import { digestOf, hexOf, verified } from "./digest.ts";
import { type Descriptor, type Index, parseDocument } from "./document.ts";
import { ImageFault, invalid } from "./fault.ts";
import { readFileUpTo } from "./files.ts";
import { parseRecord } from "./json.ts";
import { checkSize, type Limits, tooLarge } from "./limits.ts";
import type { LayoutReference } from "./reference.ts";
import type { ImageSource, Named } from "./source.ts";

const tagsOf = ({ manifests }: Index): string => {
  const tags = [...new Set(manifests.flatMap(({ tag }) => tag ?? []))];
  return tags.length === 0
    ? "none has a tag"
    : `its tags are ${tags
        .slice(0, 20)
        .join(", ")
        .replaceAll(/\p{Cc}/gu, "?")}`;
};

/** An image in a folder. */
export class Layout implements ImageSource {
  readonly #reference: LayoutReference;
  readonly #limits: Limits;

  constructor(reference: LayoutReference, limits: Limits) {
    this.#reference = reference;
    this.#limits = limits;
  }

  async top(): Promise<Named> {
    const version = parseRecord(await this.#document("oci-layout"), "its file oci-layout")["imageLayoutVersion"];
    if (version !== "1.0.0") throw invalid("its file oci-layout does not say imageLayoutVersion 1.0.0");
    const bytes = await this.#document("index.json");
    const index = parseDocument(bytes);
    if (index.kind !== "index") throw invalid("its index.json is no index");
    const { tag, digest } = this.#reference;
    if (digest !== undefined) return { digest, bytes: await this.#pinned(digest, index) };
    const found = tag === undefined ? index.manifests : index.manifests.filter((entry) => entry.tag === tag);
    const [only, ...others] = found;
    if (!only) {
      const reason = index.manifests.length === 0 ? "the folder is empty" : tagsOf(index);
      throw new ImageFault("IMAGE_NOT_FOUND", { reason });
    }
    if (others.length === 0) return { digest: only.digest, bytes: await this.manifest(only) };
    // Some builders list the platforms of one image in the folder's own index.
    if (tag === undefined && found.every((entry) => entry.platform && entry.tag === undefined))
      return { digest: digestOf(bytes), bytes };
    throw invalid(
      `the folder holds ${found.length} images${tag === undefined ? "" : " of this tag"}; ${tagsOf(index)}`,
    );
  }

  async manifest(descriptor: Descriptor): Promise<Uint8Array> {
    checkSize(descriptor.size, this.#limits.document, "its manifest");
    return this.blob(descriptor, "its manifest");
  }

  async blob({ digest, size }: Descriptor, what: string): Promise<Uint8Array> {
    const bytes = await this.#read(join("blobs", "sha256", hexOf(digest)), size, what);
    if (bytes.length !== size) {
      const actual = bytes.length > size ? "longer" : `${bytes.length} bytes long`;
      throw new ImageFault("IMAGE_DIGEST", { what, actual, wanted: `${size} bytes` });
    }
    return verified(bytes, digest, what);
  }

  /** A document by digest alone, which the index need not list. */
  async #pinned(digest: string, index: Index): Promise<Uint8Array> {
    const listed = index.manifests.find((entry) => entry.digest === digest);
    if (listed) return this.manifest(listed);
    return verified(await this.#document(join("blobs", "sha256", hexOf(digest))), digest, "its manifest");
  }

  async #document(name: string): Promise<Uint8Array> {
    const limit = this.#limits.document;
    const bytes = await this.#read(name, limit, `its file ${name}`);
    if (bytes.length > limit) throw tooLarge(`its file ${name}`, limit);
    return bytes;
  }

  async #read(name: string, limit: number, what: string): Promise<Uint8Array> {
    const path = join(this.#reference.folder, name);
    let bytes: Uint8Array | undefined;
    try {
      bytes = await readFileUpTo(path, limit);
    } catch (error) {
      const reason = `cannot read "${path}": ${messageOf(error)}`;
      throw new ImageFault("IMAGE_UNREACHABLE", { reason }, { cause: error });
    }
    if (!bytes) throw new ImageFault("IMAGE_NOT_FOUND", { reason: `${what} is not there: "${path}"` });
    return bytes;
  }
}
