/** Indexes and manifests, of OCI and of Docker (version 2, schema 2): which parts an image has. */
import { isDigest } from "./digest.ts";
import { invalid, quoted } from "./fault.ts";
import { isRecord, type JsonRecord, parseRecord, textOf } from "./json.ts";

/** The formats that are asked for and read. */
export const DOCUMENT_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** What an image runs on. */
export interface Platform {
  readonly os: string;
  /** As Go names it: `amd64`, `arm64`, ... */
  readonly architecture: string;
}

/** Names a part of an image. */
export interface Descriptor {
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  /** Only in indexes, and not in all. */
  readonly platform?: Platform;
  /** The tag, in the index of a layout. */
  readonly tag?: string;
}

/** One image of one platform. */
export interface Manifest {
  readonly kind: "manifest";
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Images of several platforms, or those of a layout. */
export interface Index {
  readonly kind: "index";
  readonly manifests: readonly Descriptor[];
}

function parsePlatform(value: unknown, what: string): Platform | undefined {
  if (!isRecord(value)) return undefined;
  const os = textOf(value, "os", what);
  const architecture = textOf(value, "architecture", what);
  return os !== undefined && architecture !== undefined ? { os, architecture } : undefined;
}

function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isRecord(value)) throw invalid(`${what} is no descriptor`);
  const { digest, size, annotations } = value;
  if (typeof digest !== "string" || !isDigest(digest))
    throw invalid(`${what} has the digest ${quoted(String(digest))}, not "sha256:" and 64 hex digits`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${what} has no size in bytes`);
  const platform = parsePlatform(value["platform"], what);
  const tag = isRecord(annotations) ? textOf(annotations, "org.opencontainers.image.ref.name", what) : undefined;
  return { digest, size, ...(platform && { platform }), ...(tag !== undefined && { tag }) };
}

function parseList(record: JsonRecord, key: string, noun: string): Descriptor[] {
  const value = record[key];
  if (!Array.isArray(value)) throw invalid(`its ${key} are no list`);
  return value.map((item: unknown, i) => parseDescriptor(item, `${noun} ${i + 1}`));
}

/**
 * Reads an index or a manifest. What it is shows in what it holds; one that could be taken for either is refused, as two
 * readers would see two images under one digest.
 *
 * @throws ImageFault IMAGE_INVALID
 */
export function parseDocument(bytes: Uint8Array): Index | Manifest {
  const record = parseRecord(bytes, "its manifest");
  if (record["schemaVersion"] === 1) throw invalid("it is in Docker's first format (schema 1), which is not read");
  if (record["schemaVersion"] !== 2) throw invalid("its manifest has no schemaVersion 2");
  const isIndex = record["manifests"] !== undefined;
  const isManifest = record["config"] !== undefined || record["layers"] !== undefined;
  if (isIndex === isManifest)
    throw invalid(`its manifest has ${isIndex ? "both manifests and layers" : "neither manifests nor layers"}`);
  const type = textOf(record, "mediaType", "its manifest");
  const fitting = DOCUMENT_TYPES.filter((known) => /\.index\.|\.list\./.test(known) === isIndex);
  if (type !== undefined && !fitting.includes(type))
    throw invalid(`its manifest has the media type ${quoted(type)}, wanted ${fitting.join(" or ")}`);
  if (isIndex) return { kind: "index", manifests: parseList(record, "manifests", "its image") };
  const config = parseDescriptor(record["config"], "its configuration");
  return { kind: "manifest", config, layers: parseList(record, "layers", "its layer") };
}
