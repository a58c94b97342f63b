/** HTTP as far as registries need it: GET, into memory, with a bound on everything the other side decides. */
import { messageOf } from "../../core/errors.ts";
import { ImageFault } from "./fault.ts";
import type { Limits } from "./limits.ts";

const MOST_REDIRECTS = 5;
/** Of an answer that is not wanted, only the beginning is read: it may say why. */
const MOST_OF_A_REFUSAL = 16 * 1024;

/** An answer, read to its end. */
export interface Reply {
  /** Where it came from, after redirects. */
  readonly url: URL;
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The body is longer than was asked for; `body` is what came until that was seen. */
  readonly cut: boolean;
}

/** What to ask for. */
export interface Ask {
  readonly url: URL;
  readonly accept: string;
  /** For the host of `url` alone: redirects to others do not carry it. */
  readonly authorization?: string;
  /** Most bytes of a body. */
  readonly limit: number;
}

const unreachable = (reason: string, cause?: unknown): ImageFault =>
  new ImageFault("IMAGE_UNREACHABLE", { reason }, { cause });

/** The innermost reason of an error of fetch, which itself only says that it failed. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error && error.cause ? reasonOf(error.cause) : messageOf(error);
}

/**
 * Where a redirect leads. What was asked for over HTTPS never goes on in the clear.
 *
 * @throws ImageFault IMAGE_UNREACHABLE
 */
export function nextHop(from: URL, location: string | null): URL {
  if (location === null) throw unreachable(`${from.host} redirects without saying where`);
  if (!URL.canParse(location, from.href)) throw unreachable(`${from.host} redirects to what is no URL`);
  const next = new URL(location, from);
  const safe = next.protocol === "https:" || (next.protocol === "http:" && from.protocol === "http:");
  if (!safe) throw unreachable(`${from.host} redirects to ${next.protocol}//${next.host}, which is not HTTPS`);
  if (next.username !== "" || next.password !== "") throw unreachable(`${from.host} redirects with credentials`);
  return next;
}

async function readBody(response: Response, limit: number, alive: () => void): Promise<{ body: Buffer; cut: boolean }> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the rest.
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    alive();
    chunks.push(chunk);
    size += chunk.length;
    if (size > limit) break;
  }
  return { body: Buffer.concat(chunks), cut: size > limit };
}

/** Asks over HTTP; all requests of one client share the time there is. */
export class HttpClient {
  readonly #limits: Limits;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: AbortSignal;

  /** @param signal ends whatever is being asked for, with its reason */
  constructor(limits: Limits, signal?: AbortSignal) {
    this.#limits = limits;
    this.#signal = signal;
    this.#deadline = AbortSignal.timeout(limits.total);
  }

  /**
   * Gets an answer, whatever its status. Follows redirects; tries nothing twice.
   *
   * @throws ImageFault IMAGE_UNREACHABLE
   */
  async get(ask: Ask): Promise<Reply> {
    let { url } = ask;
    for (let hops = 0; ; hops += 1) {
      const reply = await this.#once(ask, url);
      if (![301, 302, 303, 307, 308].includes(reply.status)) return reply;
      if (hops === MOST_REDIRECTS) throw unreachable(`${ask.url.host} redirects more than ${MOST_REDIRECTS} times`);
      url = nextHop(url, reply.headers.get("location"));
    }
  }

  async #once({ url: asked, accept, authorization, limit }: Ask, url: URL): Promise<Reply> {
    const stall = new AbortController();
    const timer = setTimeout(() => stall.abort(), this.#limits.stall);
    // Only what is packed by itself is packed, so that the digest is that of the bytes that come.
    const headers: Record<string, string> = { accept, "accept-encoding": "identity", "user-agent": "sluice" };
    if (authorization !== undefined && url.origin === asked.origin) headers["authorization"] = authorization;
    const signals = [stall.signal, this.#deadline, ...(this.#signal ? [this.#signal] : [])];
    try {
      const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.any(signals) });
      const most = response.status === 200 ? limit : MOST_OF_A_REFUSAL;
      const { status, headers: answered } = response;
      return { url, status, headers: answered, ...(await readBody(response, most, () => timer.refresh())) };
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (this.#deadline.aborted) throw unreachable(`it took longer than ${this.#limits.total / 1000} s`, error);
      if (stall.signal.aborted) throw unreachable(`${url.host} sent nothing for ${this.#limits.stall / 1000} s`, error);
      throw unreachable(`${url.host}: ${reasonOf(error)}`, error);
    } finally {
      clearTimeout(timer);
    }
  }
}
