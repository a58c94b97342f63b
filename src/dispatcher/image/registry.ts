/** Images in a registry, by the OCI distribution specification's two ways to pull: manifests and blobs. */
import { basicAuthorization } from "./challenge.ts";
import { digestOf, isDigest, verified } from "./digest.ts";
import { type Descriptor, DOCUMENT_TYPES } from "./document.ts";
import { ImageFault, invalid, quoted } from "./fault.ts";
import { HttpClient, type Reply } from "./http.ts";
import { isRecord } from "./json.ts";
import { type Limits, tooLarge } from "./limits.ts";
import { type RegistryReference, registryUrl } from "./reference.ts";
import type { ImageSource, Named } from "./source.ts";
import { authorize } from "./token.ts";

/** What a registry is asked with. */
export interface RegistryOptions {
  readonly limits: Limits;
  /** Base64 of `user:password`; checked at once, sent when it is asked for. */
  readonly credentials?: string;
  readonly signal?: AbortSignal;
}

/** The registry's own words for a refusal, if it has some: ` (MANIFEST_UNKNOWN: "manifest unknown")`. */
function said({ body }: Reply): string {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    const errors: unknown = isRecord(value) ? value["errors"] : undefined;
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    if (!isRecord(first) || typeof first["code"] !== "string") return "";
    const message = typeof first["message"] === "string" ? `: ${quoted(first["message"])}` : "";
    return ` (${first["code"].replaceAll(/[^\w-]/g, "?").slice(0, 50)}${message})`;
  } catch {
    return "";
  }
}

/** An image in a registry. Over HTTP, retries nothing, and sends credentials only when they are asked for. */
export class Registry implements ImageSource {
  readonly #reference: RegistryReference;
  readonly #limits: Limits;
  readonly #basic: string | undefined;
  readonly #http: HttpClient;
  readonly #base: URL;
  #authorization: string | undefined;

  /** @throws ImageFault IMAGE_CREDENTIALS */
  constructor(reference: RegistryReference, { limits, credentials, signal }: RegistryOptions) {
    this.#reference = reference;
    this.#limits = limits;
    this.#basic = credentials === undefined ? undefined : basicAuthorization(credentials);
    this.#http = new HttpClient(limits, signal);
    this.#base = registryUrl(reference);
  }

  async top(): Promise<Named> {
    const { tag, digest } = this.#reference;
    const { document: limit } = this.#limits;
    const reply = await this.#get(`manifests/${digest ?? tag}`, DOCUMENT_TYPES.join(", "), limit, "its manifest");
    if (reply.cut) throw tooLarge("its manifest", limit);
    const type = reply.headers.get("content-type") ?? "";
    if (/^text\/html\b/i.test(type)) throw invalid(`${reply.url.host} answers with a web page instead of a manifest`);
    const claimed = reply.headers.get("docker-content-digest") ?? "";
    const wanted = digest ?? (isDigest(claimed) ? claimed : digestOf(reply.body));
    return { bytes: verified(reply.body, wanted, "its manifest"), digest: wanted };
  }

  manifest(descriptor: Descriptor): Promise<Uint8Array> {
    const path = `manifests/${descriptor.digest}`;
    return this.#part(path, DOCUMENT_TYPES.join(", "), descriptor, "its platform's manifest");
  }

  blob(descriptor: Descriptor, what: string): Promise<Uint8Array> {
    return this.#part(`blobs/${descriptor.digest}`, "application/octet-stream, */*", descriptor, what);
  }

  async #part(path: string, accept: string, { digest, size }: Descriptor, what: string): Promise<Uint8Array> {
    const { body, cut } = await this.#get(path, accept, size, what);
    if (cut || body.length !== size) {
      const actual = cut ? "longer" : `${body.length} bytes long`;
      throw new ImageFault("IMAGE_DIGEST", { what, actual, wanted: `${size} bytes` });
    }
    return verified(body, digest, what);
  }

  /** Gets what is there, asking again with authorization when the registry wants some. */
  async #get(path: string, accept: string, limit: number, what: string): Promise<Reply> {
    const { repository } = this.#reference;
    const url = new URL(`/v2/${repository}/${path}`, this.#base);
    const ask = () => {
      const authorization = this.#authorization;
      return this.#http.get({ url, accept, limit, ...(authorization !== undefined && { authorization }) });
    };
    let reply = await ask();
    if (reply.status === 401 && reply.url.origin === url.origin) {
      const asker = { http: this.#http, base: this.#base, repository, ...(this.#basic && { basic: this.#basic }) };
      this.#authorization = await authorize(asker, reply.headers.get("www-authenticate"));
      reply = await ask();
    }
    const { status } = reply;
    if (status === 200) return reply;
    const { host } = reply.url;
    if (status === 401 || status === 403)
      throw new ImageFault("IMAGE_DENIED", { reason: `${host} refuses ${what}${said(reply)}` });
    if (status === 404)
      throw new ImageFault("IMAGE_NOT_FOUND", { reason: `${host} does not have ${what}${said(reply)}` });
    const reason = `${host} answers with HTTP status ${status} when asked for ${what}${said(reply)}`;
    throw new ImageFault("IMAGE_UNREACHABLE", { reason });
  }
}
