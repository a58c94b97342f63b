/** Builds images as container tools do: blobs by digest, served by a registry (`registry.ts`) or written as a layout. */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packTar, type TarHeader } from "modern-tar";
import { ROOT } from "./sources.ts";

/** A BPF object of little-endian machines: what images of these tests hold. */
export const OBJECT: Uint8Array = readFileSync(join(ROOT, "bpf/classifier.bpf.o"));

/** Media types. */
export const TYPES = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
} as const;

/** `sha256:` and the digest in hex. */
const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A descriptor as documents hold it. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What stands in an archive: a file's bytes, or a header with or without them. */
export type TarFile = Uint8Array | (Partial<TarHeader> & { readonly body?: Uint8Array });

/** A tar archive of files by name. */
export function tarOf(files: Readonly<Record<string, TarFile>>): Promise<Uint8Array> {
  return packTar(
    Object.entries(files).map(([name, file]) => {
      const { body = new Uint8Array(), ...header } = file instanceof Uint8Array ? { body: file } : file;
      return { header: { name, size: body.length, mtime: new Date(0), ...header }, body };
    }),
  );
}

/** The usual layer: a gzip tar with the object at its root. */
export const usualLayer = async (): Promise<Uint8Array> => gzipSync(await tarOf({ "counter.bpf.o": OBJECT }));

/** What {@link ImageBuilder.image} takes; everything has a usual value. */
export interface ImageParts {
  readonly layers?: readonly Uint8Array[];
  readonly labels?: Readonly<Record<string, unknown>>;
  readonly os?: string;
  readonly architecture?: string;
  /** Docker's media types in place of OCI's. */
  readonly docker?: boolean;
  /** Members of the manifest to add or replace. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** The labels that {@link ImageBuilder.image} gives by default. */
const LABELS = {
  "io.ebpf.programs": '{"count":"xdp","mark":"tc"}',
  "io.ebpf.maps": '{"counts":"percpu_array"}',
};

/** Blobs of images, by digest. */
export class ImageBuilder {
  readonly blobs = new Map<string, { readonly bytes: Uint8Array; readonly mediaType: string }>();

  /** Adds a blob. */
  blob(bytes: Uint8Array, mediaType: string): Descriptor {
    const digest = sha256(bytes);
    this.blobs.set(digest, { bytes, mediaType });
    return { mediaType, digest, size: bytes.length };
  }

  /** Adds a JSON document. */
  json(value: object, mediaType: string): Descriptor {
    return this.blob(Buffer.from(JSON.stringify(value)), mediaType);
  }

  /** Adds an image of one platform. */
  async image(parts: ImageParts = {}): Promise<Descriptor> {
    const { labels = LABELS, os = "linux", architecture = "amd64", docker = false } = parts;
    const config = { os, architecture, config: { Labels: labels }, rootfs: { type: "layers", diff_ids: [] } };
    const layers = parts.layers ?? [await usualLayer()];
    const mediaType = docker ? TYPES.dockerManifest : TYPES.manifest;
    const manifest = {
      schemaVersion: 2,
      mediaType,
      config: this.json(config, TYPES.config),
      layers: layers.map((layer) => this.blob(layer, TYPES.layer)),
      ...parts.manifest,
    };
    return this.json(manifest, mediaType);
  }

  /** Adds an index of images. */
  index(manifests: readonly Descriptor[], mediaType: string = TYPES.index): Descriptor {
    return this.json({ schemaVersion: 2, mediaType, manifests }, mediaType);
  }

  /** Writes everything as a layout whose index lists these. */
  writeLayout(folder: string, manifests: readonly Descriptor[]): void {
    mkdirSync(join(folder, "blobs/sha256"), { recursive: true });
    writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    for (const [digest, { bytes }] of this.blobs) writeFileSync(join(folder, "blobs/sha256", digest.slice(7)), bytes);
  }
}

/** A descriptor with its platform. */
export const forPlatform = (descriptor: Descriptor, architecture: string, os = "linux"): Descriptor => ({
  ...descriptor,
  platform: { os, architecture },
});

/** A descriptor with a tag, as layouts have it. */
export const tagged = (descriptor: Descriptor, tag: string): Descriptor => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": tag },
});

/** A folder that is gone with its scope. */
export function scratchFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "sluice-image-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
