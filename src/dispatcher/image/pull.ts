/**
 * Gets the BPF object of an image. Everything is fetched into memory, checked, and only then kept in the cache: the parts
 * first, what the reference names last, so that the cache never names what it does not hold.
 */
import { resolve } from "node:path";
import { sluiceError } from "../../core/errors.ts";
import { ImageCache } from "./cache.ts";
import { parseConfig } from "./config.ts";
import { type Descriptor, type Manifest, parseDocument } from "./document.ts";
import { ImageFault, invalid } from "./fault.ts";
import { extractObject } from "./layer.ts";
import { Layout } from "./layout.ts";
import { checkSize, layerLimit, LIMITS, type Limits } from "./limits.ts";
import { checkPlatform, choosePlatform, imageArchitecture } from "./platform.ts";
import { formatReference, type ImageReference, parseReference } from "./reference.ts";
import { Registry } from "./registry.ts";
import type { ImageSource, Named } from "./source.ts";

/** When the registry is asked: each time, when the image is not in the cache, or not at all. */
export const PULL_POLICIES = ["Always", "IfNotPresent", "Never"] as const;

/** One of {@link PULL_POLICIES}. */
export type PullPolicy = (typeof PULL_POLICIES)[number];

/** What {@link pullImage} takes. */
export interface PullOptions {
  /** As {@link parseReference} takes it. */
  readonly reference: string;
  /** Default `IfNotPresent`. A folder (`oci:`) is on this machine, so it is read whatever the cache holds, but for `Never`. */
  readonly policy?: PullPolicy;
  /** Base64 of `user:password`; by default from the environment's `SLUICE_REGISTRY_AUTH`. Sent only when asked for. */
  readonly auth?: string;
  /** Made when it is not there. */
  readonly cacheFolder: string;
  /** As images name it (`amd64`); by default this machine's. */
  readonly arch?: string;
  /** Ends the pull with its reason; nothing of it is kept then. */
  readonly signal?: AbortSignal;
  /** Others than {@link LIMITS}. */
  readonly limits?: Partial<Limits>;
}

/** An object, and what its image says about it. */
export interface PulledImage {
  /** The ELF file. */
  readonly image: Uint8Array;
  /** The one spelling of the reference; a folder as an absolute path. */
  readonly reference: string;
  /** The digest of the manifest that was used: of an image of several platforms, that of this platform. */
  readonly digest: string;
  /** Type by function, as the image labels them; the labels are the builder's word, nothing else. */
  readonly programs: ReadonlyMap<string, string>;
  /** Type by map. */
  readonly maps: ReadonlyMap<string, string>;
  /** Nothing but the cache was asked. */
  readonly fromCache: boolean;
}

/** A part that is not in the cache, where nothing else may be asked. */
class Miss extends Error {}

/** Follows a document to its object. */
async function assemble(top: Named, source: Omit<ImageSource, "top">, arch: string, limits: Limits) {
  const first = parseDocument(top.bytes);
  let manifest: Manifest;
  let { digest } = top;
  if (first.kind === "manifest") manifest = first;
  else {
    const chosen = choosePlatform(first, arch);
    checkSize(chosen.size, limits.document, "its platform's manifest");
    const second = parseDocument(await source.manifest(chosen));
    if (second.kind === "index") throw invalid("its index names another index");
    manifest = second;
    ({ digest } = chosen);
  }
  const [layer, ...others] = manifest.layers;
  if (!layer || others.length > 0) throw invalid(`it has ${manifest.layers.length} layers, wanted one`);
  checkSize(manifest.config.size, limits.document, "its configuration");
  checkSize(layer.size, layerLimit(limits), "its layer");
  const { platform, programs, maps } = parseConfig(await source.blob(manifest.config, "its configuration"));
  if (first.kind === "manifest") checkPlatform(platform, arch);
  const image = await extractObject(await source.blob(layer, "its layer"), limits);
  return { image, digest, programs, maps };
}

/** What one pull works with. */
interface Pull {
  readonly reference: ImageReference;
  /** The one spelling of it. */
  readonly name: string;
  readonly cache: ImageCache;
  readonly arch: string;
  readonly limits: Limits;
}

async function fromCache({ reference, name, cache, arch, limits }: Pull): Promise<PulledImage | undefined> {
  const digest = reference.digest ?? (await cache.resolve(name));
  const bytes = digest === undefined ? undefined : await cache.blob(digest, limits.document);
  if (digest === undefined || !bytes) return undefined;
  const part = async ({ digest: wanted, size }: Descriptor): Promise<Uint8Array> => {
    const found = await cache.blob(wanted, size);
    if (!found) throw new Miss();
    return found;
  };
  try {
    const image = await assemble({ digest, bytes }, { manifest: part, blob: part }, arch, limits);
    return { ...image, reference: name, fromCache: true };
  } catch (error) {
    if (error instanceof Miss) return undefined;
    throw error;
  }
}

async function fromSource({ reference, name, cache, arch, limits }: Pull, source: ImageSource, signal?: AbortSignal) {
  const top = await source.top();
  const fetched: Named[] = [top];
  const part = async ({ digest, size }: Descriptor, ask: () => Promise<Uint8Array>): Promise<Uint8Array> => {
    const known = await cache.blob(digest, size);
    if (known) return known;
    const bytes = await ask();
    fetched.push({ digest, bytes });
    return bytes;
  };
  const parts = {
    manifest: (descriptor: Descriptor) => part(descriptor, () => source.manifest(descriptor)),
    blob: (descriptor: Descriptor, what: string) => part(descriptor, () => source.blob(descriptor, what)),
  };
  const image = await assemble(top, parts, arch, limits);
  signal?.throwIfAborted();
  for (const one of fetched) await cache.keep(one);
  if (reference.digest === undefined) await cache.remember(name, top.digest);
  return { ...image, reference: name, fromCache: false };
}

/** A folder by its absolute path: the cache must know it again from elsewhere. */
const settled = (reference: ImageReference): ImageReference =>
  reference.kind === "layout" ? { ...reference, folder: resolve(reference.folder) } : reference;

/**
 * Gets the object of an image from the cache, a registry or a folder, as the policy says. With the same image in the
 * cache, `IfNotPresent` and `Never` work without a network.
 *
 * @throws SluiceError IMAGE_REFERENCE, IMAGE_CREDENTIALS, IMAGE_UNREACHABLE, IMAGE_DENIED, IMAGE_NOT_FOUND,
 * IMAGE_NOT_CACHED, IMAGE_PLATFORM, IMAGE_DIGEST, IMAGE_TOO_LARGE, IMAGE_INVALID, IMAGE_LABEL, PATH_UNUSABLE
 * @throws the reason of `signal`
 */
export async function pullImage(options: PullOptions): Promise<PulledImage> {
  const { policy = "IfNotPresent", signal } = options;
  const reference = settled(parseReference(options.reference));
  const limits = { ...LIMITS, ...options.limits };
  const cache = new ImageCache(options.cacheFolder);
  const pull: Pull = {
    reference,
    name: formatReference(reference),
    cache,
    limits,
    arch: options.arch ?? imageArchitecture(),
  };
  signal?.throwIfAborted();
  try {
    if (policy === "Never" || (policy === "IfNotPresent" && reference.kind === "registry")) {
      const cached = await fromCache(pull);
      if (cached) return cached;
      if (policy === "Never") throw new ImageFault("IMAGE_NOT_CACHED", {});
    }
    const credentials = options.auth ?? (process.env["SLUICE_REGISTRY_AUTH"] || undefined);
    const source =
      reference.kind === "layout"
        ? new Layout(reference, limits)
        : new Registry(reference, {
            limits,
            ...(credentials !== undefined && { credentials }),
            ...(signal && { signal }),
          });
    return await fromSource(pull, source, signal);
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    throw sluiceError(error.code, { ...error.params, reference: options.reference }, { cause: error });
  }
}
