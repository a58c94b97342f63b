/** Calls the daemon by the route table, over its Unix socket or TCP. */
import { type IncomingMessage, request } from "node:http";
import { messageOf, type Problem, SluiceError, sluiceError } from "../core/errors.ts";
import type { RawRequest } from "./request.ts";
import type { Route } from "./route.ts";
import { type Call, type Output, type RouteName, ROUTES } from "./routes.ts";
import { MessageReader } from "./sse.ts";

/** Where the daemon listens. */
export type Endpoint =
  | { readonly socket: string }
  | { readonly host: string; readonly port: number; readonly token: string };

/** Details of a call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** The tag of the state that is to be changed. */
  readonly ifMatch?: string;
  /** Hears of the daemon's version. */
  readonly onVersion?: (version: string) => void;
}

/** A message of a stream. */
export interface Streamed<T> {
  /** Where to go on after it. */
  readonly id?: string;
  readonly message: T;
}

/** The header by which the daemon says what it is. */
export const VERSION_HEADER = "sluice-version";

const fillPath = (path: string, params: RawRequest["params"] = {}): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));

/** The path with its parameters in it, and the query behind it. */
export function target(row: Route, { params, query }: RawRequest): string {
  const search = new URLSearchParams(query).toString();
  return `${fillPath(row.path, params)}${search === "" ? "" : `?${search}`}`;
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw sluiceError("DAEMON_ANSWER", { reason: messageOf(error) }, { cause: error });
  }
}

const problemsOf = (text: string): readonly Problem[] | undefined => {
  const { problems } = parse(text) as { readonly problems?: readonly Problem[] };
  return problems;
};

/** A daemon. */
export class Client {
  readonly #endpoint: Endpoint;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  /** Where it listens, for people. */
  get address(): string {
    return "socket" in this.#endpoint ? this.#endpoint.socket : `${this.#endpoint.host}:${this.#endpoint.port}`;
  }

  /**
   * Calls a route.
   *
   * @throws SluiceError what the daemon answers; an Error with `code` ENOENT, ECONNREFUSED, EACCES when it is not reached
   */
  async call<N extends RouteName>(name: N, call: Call<N>, options: CallOptions = {}): Promise<Output<N>> {
    const response = await this.#send(name, call, options);
    const text = await textOf(response);
    await this.#refuse(response, text);
    return (ROUTES[name] as unknown as Route).answers === "text" ? (text as Output<N>) : (parse(text) as Output<N>);
  }

  /** The messages of a stream, until the signal is aborted or the daemon ends it. @throws as {@link call} */
  async *stream<N extends RouteName>(
    name: N,
    call: Call<N>,
    options: CallOptions = {},
  ): AsyncGenerator<Streamed<Output<N>>> {
    const response = await this.#send(name, call, options);
    if (response.statusCode !== 200) await this.#refuse(response, await textOf(response));
    const reader = new MessageReader();
    response.setEncoding("utf8");
    try {
      for await (const chunk of response)
        for (const { id, data } of reader.read(chunk as string))
          yield { message: parse(data) as Output<N>, ...(id !== undefined && { id }) };
    } catch (error) {
      if (!options.signal?.aborted) throw error;
    } finally {
      response.destroy();
    }
  }

  async #refuse(response: IncomingMessage, text: string): Promise<void> {
    if (response.statusCode === 200) return;
    const problems = problemsOf(text);
    if (problems && problems.length > 0) throw new SluiceError(problems);
    throw sluiceError("DAEMON_ANSWER", { reason: `status ${response.statusCode} without a reason` });
  }

  #send(name: RouteName, raw: RawRequest, { signal, ifMatch, onVersion }: CallOptions): Promise<IncomingMessage> {
    const row = ROUTES[name] as unknown as Route;
    const endpoint = this.#endpoint;
    const body = row.body && JSON.stringify(raw.body ?? {});
    const place = "socket" in endpoint ? { socketPath: endpoint.socket } : { host: endpoint.host, port: endpoint.port };
    const headers = {
      host: "sluice",
      ...(body !== undefined && { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...("token" in endpoint && { authorization: `Bearer ${endpoint.token}` }),
      ...(ifMatch !== undefined && { "if-match": `"${ifMatch}"` }),
    };
    return new Promise((resolve, reject) => {
      const options = { ...place, method: row.method, path: target(row, raw), headers, agent: false };
      const sent = request({ ...options, ...(signal && { signal }) }, (response) => {
        const version = response.headers[VERSION_HEADER];
        if (typeof version === "string") onVersion?.(version);
        resolve(response);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }
}
