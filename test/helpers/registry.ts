/** A registry on the loopback interface that serves what an `ImageBuilder` holds, and can be made to misbehave. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Descriptor, ImageBuilder } from "./images.ts";

/** A request that came, as far as tests look at it. */
export interface Seen {
  readonly path: string;
  readonly authorization: string | undefined;
  readonly accept: string | undefined;
}

/** Answers a request in place of the registry; false leaves it to the registry. */
export type Interception = (request: IncomingMessage, response: ServerResponse) => boolean;

/** A running registry. */
export class TestRegistry implements AsyncDisposable {
  readonly images = new ImageBuilder();
  readonly seen: Seen[] = [];
  readonly #tags = new Map<string, string>();
  readonly #server = createServer((request, response) => this.#answer(request, response));
  /** Consulted first. */
  intercept: Interception = () => false;

  /** Starts one on a free port. */
  static async start(): Promise<TestRegistry> {
    const registry = new TestRegistry();
    registry.#server.listen(0, "127.0.0.1");
    await once(registry.#server, "listening");
    return registry;
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Lets a name be an image: `tag("me/counter:v1", image)` can be pulled as the text that this returns. */
  tag(name: string, descriptor: Descriptor): string {
    this.#tags.set(name, descriptor.digest);
    return `${this.host}/${name}`;
  }

  /** The paths that were asked for since the last call. */
  paths(): string[] {
    return this.seen.splice(0).map(({ path }) => path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, "close");
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url ?? "";
    this.seen.push({ path, authorization: request.headers.authorization, accept: request.headers.accept });
    if (this.intercept(request, response)) return;
    const [, repository, kind, name] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    const digest = name?.includes(":") || kind === "blobs" ? name : this.#tags.get(`${repository}:${name}`);
    const blob = this.images.blobs.get(digest ?? "");
    if (!blob) return refuse(response, 404, kind === "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN", `no ${name}`);
    const type = kind === "manifests" ? blob.mediaType : "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": blob.bytes.length });
    response.end(blob.bytes);
  }
}

/** Answers with an error as the distribution specification words it. */
export function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, {
    ...(response.getHeaders() as Record<string, string>),
    "content-type": "application/json",
  });
  response.end(JSON.stringify({ errors: [{ code, message }] }));
}
