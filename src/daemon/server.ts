/** The HTTP server: finds the route, asks who calls, reads and checks the request, and answers in JSON whatever comes. */
import { createServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { VERSION_HEADER } from "../api/client.ts";
import { match } from "../api/match.ts";
import { readRequest } from "../api/request.ts";
import type { Route } from "../api/route.ts";
import type { Input, Output, RouteName } from "../api/routes.ts";
import { ERRORS } from "../core/codes.ts";
import { messageOf, type SluiceError, sluiceError } from "../core/errors.ts";
import { explainError } from "../core/explain.ts";
import { logger } from "../core/log.ts";
import type { Caller, Gate } from "./access.ts";
import { Stream } from "./stream.ts";

/** Bytes of a body unless the route says otherwise. */
const BODY_LIMIT = 64 * 1024;
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 30_000;
/** Milliseconds in which a reader must take some of an answer. */
const STALLED = 60_000;
const CONNECTIONS = 512;
const STREAMS = 64;
const DRAIN = 10_000;
const SERVER_ERROR = 500;

/** What a handler may know of its request besides its input. */
export interface CallContext {
  readonly caller: Caller;
  /** The tag of the state that it is meant for; undefined when any will do. */
  readonly ifMatch?: string;
  /** Where a stream goes on: the last message that was received. */
  readonly after?: number;
}

/** Handlers of routes that answer once. */
export type Handlers = {
  readonly [N in RouteName]?: (input: Input<N>, context: CallContext) => Output<N> | Promise<Output<N>>;
};
/** Handlers of routes that stream. */
export type Streamers = {
  readonly [N in RouteName]?: (input: Input<N>, open: () => Stream, context: CallContext) => void;
};

/** What the server counts. */
export interface Counted {
  /** Requests by the route and status. */
  readonly requests: Map<string, number>;
  slowReaders: number;
}

/** What a server is made of. */
export interface ServerOptions {
  readonly handlers: Handlers;
  readonly streamers: Streamers;
  readonly gate: Gate;
  readonly version: string;
}

const log = logger("api");

/** The first tag of an If-Match header; `*` is any state. */
function tagOf(header: string | undefined): string | undefined {
  const tag = /^\s*(?:W\/)?"([^"]*)"/.exec(header ?? "")?.[1];
  return tag ?? (header === undefined || header.trim() === "*" ? undefined : header.trim());
}

async function readBody(request: IncomingMessage, { bodyLimit: limit = BODY_LIMIT }: Route): Promise<unknown> {
  const tooLarge = (): SluiceError => sluiceError("REQUEST_TOO_LARGE", { limit });
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge();
  const chunks: Buffer[] = [];
  let length = 0;
  // What is left of a body that is too large is thrown away, so that the answer gets through.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += (chunk as Buffer).length;
    if (length > limit) throw tooLarge();
    chunks.push(chunk as Buffer);
  }
  if (length === 0) return {};
  const type = request.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) throw sluiceError("REQUEST_MEDIA", { type: type.slice(0, 100) });
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks))) as unknown;
  } catch (error) {
    throw sluiceError("REQUEST_JSON", { reason: messageOf(error) }, { cause: error });
  }
}

/** Where a request goes. @throws SluiceError for what is no path */
function urlOf(text: string): URL {
  const url = URL.parse(text, "http://sluice");
  if (url) return url;
  const shown = JSON.stringify(text.slice(0, 100));
  throw sluiceError("REQUEST_INVALID", { what: "the path", actual: shown, wanted: "one such as /v1/status" });
}

/** Repeated parameters count once: the last. */
const queryOf = (url: URL): Record<string, string> => Object.fromEntries(url.searchParams);

/** Serves the routes. */
export class Server {
  readonly #options: ServerOptions;
  readonly #servers = new Set<HttpServer>();
  readonly #streams = new Set<Stream>();
  #stopping = false;
  readonly counted: Counted = { requests: new Map(), slowReaders: 0 };

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** Streams that are open. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Makes a server that is not listening yet. `local` ones know their callers by the kernel's word. */
  make(local: boolean): HttpServer {
    const server = createServer(
      { headersTimeout: HEADERS_TIMEOUT, requestTimeout: REQUEST_TIMEOUT, connectionsCheckingInterval: 1000 },
      (request, response) => void this.#serve(request, response, local),
    );
    server.maxConnections = CONNECTIONS;
    server.setTimeout(STALLED);
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => this.#refuseRaw(error, socket));
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
    return server;
  }

  /** Takes no more requests, ends streams, and waits a while for answers that are under way. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const stream of this.#streams) stream.end();
    const closed = [...this.#servers].map(
      (server) =>
        new Promise<void>((resolve) => {
          server.close(() => resolve());
          server.closeIdleConnections();
          setTimeout(() => server.closeAllConnections(), DRAIN).unref();
        }),
    );
    await Promise.all(closed);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, local: boolean): Promise<void> {
    response.setHeader(VERSION_HEADER, this.#options.version);
    response.on("error", () => undefined);
    let name: RouteName | undefined;
    try {
      if (this.#stopping) throw sluiceError("DAEMON_STOPPING");
      const url = urlOf(request.url ?? "/");
      const matched = match(request.method ?? "", url.pathname);
      const { route, params } = matched;
      name = matched.name;
      const caller = this.#options.gate.callerOf(request, local);
      this.#options.gate.check(caller, route.access);
      const body = await readBody(request, route);
      const raw = { ...(route.params && { params }), query: queryOf(url), ...(route.body ? { body } : {}) };
      await this.#answer(name, route, readRequest(route, raw), request, response, caller);
    } catch (error) {
      this.#refuse(request, response, error, name);
    }
  }

  async #answer(
    name: RouteName,
    route: Route,
    input: unknown,
    request: IncomingMessage,
    response: ServerResponse,
    caller: Caller,
  ): Promise<void> {
    const ifMatch = tagOf(request.headers["if-match"]);
    const last = request.headers["last-event-id"];
    const after = typeof last === "string" && /^\d{1,16}$/.test(last) ? Number(last) : undefined;
    const context = { caller, ...(ifMatch !== undefined && { ifMatch }), ...(after !== undefined && { after }) };
    if (route.answers === "stream") return this.#stream(name, input, request.socket, response, context);
    const handler = this.#options.handlers[name] as (input: unknown, context: CallContext) => unknown;
    // However long a change takes, it is no fault of the reader's.
    request.socket.setTimeout(0);
    const output = await Promise.try(handler, input, context).finally(() => request.socket.setTimeout(STALLED));
    const text = route.answers === "text" ? String(output) : JSON.stringify(output);
    const tag = (output as { readonly tag?: unknown }).tag;
    if (typeof tag === "string") response.setHeader("etag", `"${tag}"`);
    response.writeHead(200, {
      "content-type": route.mediaType ?? "application/json",
      "content-length": Buffer.byteLength(text),
    });
    response.end(text);
    this.#count(name, 200);
    return undefined;
  }

  #stream(name: RouteName, input: unknown, socket: Socket, response: ServerResponse, context: CallContext): void {
    if (this.#streams.size >= STREAMS) throw sluiceError("TOO_MANY_STREAMS", { count: this.#streams.size });
    const open = (): Stream => {
      socket.setTimeout(0);
      const stream = new Stream(response, socket, () => {
        this.counted.slowReaders += 1;
        log.info("dropped a reader of {route} who did not keep up: {who}", { route: name, who: context.caller.who });
      });
      this.#streams.add(stream);
      stream.own({ [Symbol.dispose]: () => void this.#streams.delete(stream) });
      this.#count(name, 200);
      return stream;
    };
    const streamer = this.#options.streamers[name] as (
      input: unknown,
      open: () => Stream,
      context: CallContext,
    ) => void;
    streamer(input, open, context);
  }

  #count(name: RouteName | undefined, status: number): void {
    const key = `${name ?? "unknown"} ${status}`;
    this.counted.requests.set(key, (this.counted.requests.get(key) ?? 0) + 1);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, thrown: unknown, name: RouteName | undefined): void {
    // The caller has gone; there is nobody to tell.
    if (request.destroyed && !request.complete) return;
    const error = explainError(thrown);
    const { status } = ERRORS[error.code];
    this.#count(name, status);
    const facts = { method: request.method, path: request.url?.slice(0, 200), status, reason: error.message };
    if (status >= SERVER_ERROR && error.code === "INTERNAL") log.error("{method} {path}: {status} {reason}", facts);
    else log.debug("{method} {path}: {status} {reason}", facts);
    if (response.headersSent) return void response.destroy();
    const text = JSON.stringify({ schema: "sluice/error/1", problems: error.problems });
    if (status === 401) response.setHeader("www-authenticate", "Bearer");
    // What is left of a body that nobody will read must not be taken for the next request.
    if (!request.complete) response.setHeader("connection", "close");
    response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
    response.end(text);
    return undefined;
  }

  /** What was not even HTTP. */
  #refuseRaw(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
    const slow = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
    const problem = slow
      ? sluiceError("REQUEST_SLOW", { seconds: REQUEST_TIMEOUT / 1000 })
      : sluiceError("REQUEST_INVALID", { what: "it", actual: error.code ?? "not HTTP", wanted: "an HTTP/1.1 request" });
    const text = JSON.stringify({ schema: "sluice/error/1", problems: problem.problems });
    const status = slow ? "408 Request Timeout" : "400 Bad Request";
    this.#count(undefined, slow ? 408 : 400);
    socket.end(
      `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
    return undefined;
  }
}
