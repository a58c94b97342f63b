/**
 * How users name images: `[registry/]repository[:tag][@digest]` as container tools take it, or `oci:FOLDER[:tag|@digest]`
 * for an OCI layout on this machine.
 */
import { isIPv6 } from "node:net";
import { sluiceError } from "../../core/errors.ts";
import { isDigest } from "./digest.ts";

/** An image in a registry. */
export interface RegistryReference {
  readonly kind: "registry";
  /** Host, with the port if it was named: `docker.io`, `localhost:5000`, `[::1]:5000`. In lower case. */
  readonly registry: string;
  readonly repository: string;
  /** Exactly one of `tag` and `digest` is there; who names both gets the digest. */
  readonly tag?: string;
  readonly digest?: string;
}

/** An image in a folder of the OCI image layout. */
export interface LayoutReference {
  readonly kind: "layout";
  readonly folder: string;
  /** At most one of `tag` and `digest` is there; without one the folder holds one image. */
  readonly tag?: string;
  readonly digest?: string;
}

/** What {@link parseReference} makes of a text. */
export type ImageReference = RegistryReference | LayoutReference;

const DOCKER_HUB = "docker.io";
const HUB_ALIASES = ["index.docker.io", "registry-1.docker.io"];
const LAYOUT = "oci:";
const MOST = 1024;
const TAG = /^\w[\w.-]{0,127}$/;
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*$/;
const HOST_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;
const CONTROL = /\p{Cc}/gu;

/** Ends the parsing; `parseReference` adds the text it is about. */
class Unfit extends Error {}

function checkTag(tag: string): string {
  if (tag === "") throw new Unfit("the tag after the colon is empty");
  if (!TAG.test(tag))
    throw new Unfit(
      `the tag "${tag}" is not 1 to 128 letters, digits, "_", "." and "-", the first a letter, digit or "_"`,
    );
  return tag;
}

function checkDigest(digest: string): string {
  if (!isDigest(digest)) throw new Unfit(`the digest "${digest}" is not "sha256:" and 64 hex digits in lower case`);
  return digest;
}

function checkRegistry(text: string): string {
  const [, host, port] = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/s.exec(text) ?? [];
  if (host === undefined) throw new Unfit(`"${text}" is no host and port`);
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    throw new Unfit(`the port "${port}" is not a number from 1 to 65535`);
  const good = host.startsWith("[")
    ? isIPv6(host.slice(1, -1)) && !host.includes("%")
    : host.split(".").every((label) => HOST_LABEL.test(label));
  if (!good || !URL.canParse(`http://${text}`)) throw new Unfit(`"${host}" is no host name or address`);
  const registry = text.toLowerCase();
  return HUB_ALIASES.includes(registry) ? DOCKER_HUB : registry;
}

function checkRepository(text: string): string {
  if (text === "") throw new Unfit("it names no repository");
  if (text.length > 255) throw new Unfit(`the repository has ${text.length} characters, at most 255 are allowed`);
  for (const part of text.split("/")) {
    if (part === "") throw new Unfit("a part of the repository between slashes is empty");
    if (/[A-Z]/.test(part)) throw new Unfit(`"${part}" has capital letters, and repositories are in lower case`);
    if (!COMPONENT.test(part))
      throw new Unfit(`"${part}" is not lower-case letters and digits, parted by ".", "_", "__" or dashes`);
  }
  return text;
}

/**
 * Whether the part before the first slash is a registry, not the start of a repository. Docker also takes a bare word with
 * capital letters for one; in lower case, as hosts are compared, that would be a repository.
 */
const isRegistry = (first: string): boolean => /[.:[\]]/.test(first) || first.toLowerCase() === "localhost";

function parseRegistry(text: string): RegistryReference {
  if (/\s/.test(text)) throw new Unfit("it has blanks");
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0];
  if (scheme !== undefined) throw new Unfit(`it begins with "${scheme}", which image references do not have`);
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : checkDigest(text.slice(at + 1));
  const named = at < 0 ? text : text.slice(0, at);
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  if (slash === 0) throw new Unfit('it begins with "/"; for a folder write oci:FOLDER');
  if (slash < 0 && /^(?:localhost(?::|$)|\[)/i.test(named)) throw new Unfit("it names a registry, but no repository");
  const registry = isRegistry(first) ? checkRegistry(first) : DOCKER_HUB;
  const path = isRegistry(first) ? named.slice(slash + 1) : named;
  const colon = path.indexOf(":");
  const tag = colon < 0 ? "latest" : checkTag(path.slice(colon + 1));
  const name = checkRepository(colon < 0 ? path : path.slice(0, colon));
  const repository = registry === DOCKER_HUB && !name.includes("/") ? `library/${name}` : name;
  return { kind: "registry", registry, repository, ...(digest === undefined ? { tag } : { digest }) };
}

function parseLayout(text: string): LayoutReference {
  const folderOf = (folder: string): { kind: "layout"; folder: string } => {
    if (folder === "") throw new Unfit("it names no folder");
    return { kind: "layout", folder };
  };
  const at = text.lastIndexOf("@");
  if (at >= 0 && /^sha\d+:/.test(text.slice(at + 1)))
    return { ...folderOf(text.slice(0, at)), digest: checkDigest(text.slice(at + 1)) };
  const colon = text.lastIndexOf(":");
  // A colon in the name of a folder above is no tag's.
  if (colon < 0 || text.includes("/", colon)) return folderOf(text);
  return { ...folderOf(text.slice(0, colon)), tag: checkTag(text.slice(colon + 1)) };
}

/**
 * Reads an image reference. Without a registry it is Docker Hub, there without a folder `library/`, without a tag `latest`.
 *
 * @throws SluiceError IMAGE_REFERENCE
 * @example
 * parseReference("quay.io/me/counter:v1"); // { kind: "registry", registry: "quay.io", repository: "me/counter", tag: "v1" }
 */
export function parseReference(text: string): ImageReference {
  try {
    if (text === "") throw new Unfit("it is empty");
    if (text.length > MOST) throw new Unfit(`it has ${text.length} characters, at most ${MOST} are allowed`);
    if (text.search(CONTROL) >= 0) throw new Unfit("it has control characters");
    return text.startsWith(LAYOUT) ? parseLayout(text.slice(LAYOUT.length)) : parseRegistry(text);
  } catch (error) {
    if (!(error instanceof Unfit)) throw error;
    const reference = text.slice(0, MOST).replaceAll(CONTROL, "?");
    throw sluiceError("IMAGE_REFERENCE", { reference, reason: error.message });
  }
}

/** The one spelling of a reference: {@link parseReference} reads it as the same. */
export function formatReference(reference: ImageReference): string {
  const { tag, digest } = reference;
  const name =
    reference.kind === "layout" ? `${LAYOUT}${reference.folder}` : `${reference.registry}/${reference.repository}`;
  return `${name}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Where a registry answers. Those on this machine are asked over plain HTTP, all others over HTTPS. */
export function registryUrl({ registry }: RegistryReference): URL {
  const host = registry === DOCKER_HUB ? "registry-1.docker.io" : registry;
  const { hostname } = new URL(`http://${host}`);
  const loopback = hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d+){3}$/.test(hostname);
  return new URL(`${loopback ? "http" : "https"}://${host}`);
}
