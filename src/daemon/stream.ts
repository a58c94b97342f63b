/** One stream of server-sent events to one reader, who is dropped when it does not keep up. */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { formatMessage, KEEP_ALIVE } from "../api/sse.ts";

/** Bytes that may wait for a slow reader. */
const BEHIND = 2 ** 20;
/** Milliseconds between signs of life. */
const ALIVE_EVERY = 15_000;

/** The stream. */
export class Stream implements Disposable {
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;
  readonly #owned = new DisposableStack();
  readonly #dropped: () => void;
  readonly #close: () => void;
  /** Aborted when the reader has gone or was dropped. */
  readonly signal: AbortSignal;

  /** @param dropped called when the reader did not keep up */
  constructor(response: ServerResponse, socket: Socket, dropped: () => void) {
    this.#response = response;
    this.#dropped = dropped;
    const controller = new AbortController();
    this.signal = controller.signal;
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    response.flushHeaders();
    this.#alive = setInterval(() => this.#write(KEEP_ALIVE), ALIVE_EVERY);
    this.#close = () => {
      controller.abort();
      this[Symbol.dispose]();
    };
    response.once("close", this.#close);
    // An answer that waits behind another on the same connection is never told that the connection is gone.
    socket.once("close", this.#close);
    this.#owned.defer(() => socket.off("close", this.#close));
    if (socket.destroyed) this.#close();
  }

  /** Ends with the stream. */
  own(owned: Disposable): void {
    if (this.signal.aborted) owned[Symbol.dispose]();
    else this.#owned.use(owned);
  }

  /** Sends a message. */
  send(id: number, message: unknown): void {
    this.#write(formatMessage({ id: String(id), data: JSON.stringify(message) }));
  }

  /** Resolves when the reader has taken what was sent, or is gone. */
  async drained(): Promise<void> {
    if (!this.#response.writableNeedDrain || this.signal.aborted) return;
    await once(this.#response, "drain", { signal: this.signal }).catch(() => undefined);
  }

  /** Ends it. */
  end(): void {
    this.#response.end();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#alive);
    if (!this.#owned.disposed) this.#owned.dispose();
  }

  #write(text: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (this.#response.writableLength <= BEHIND) return void this.#response.write(text);
    this.#dropped();
    this.#response.destroy();
    return this.#close();
  }
}
