/** The inside of a script's thread: what its program calls once, and is then asked through. */
import { parentPort, workerData } from "node:worker_threads";
import type { ThreadMessage } from "./protocol.ts";

/** Thrown by `open` for a fault of the user's: it is told as {@link detail}. Anything else thrown is a fault of ours. */
export class StartRefusal extends Error {
  override readonly name = "StartRefusal";
  /** Survives structured cloning. */
  readonly detail: unknown;

  constructor(detail: unknown) {
    super("The script refuses to start");
    this.detail = detail;
  }
}

/** What a thread does. */
export interface Served<Request, Answer, Greeting> {
  /** Told to who started the thread. */
  readonly greeting: Greeting;
  /** Answers one request. Whatever it throws ends the thread. */
  answer(request: Request): Answer;
}

/**
 * Opens with the configuration that the thread was started with, and answers until the thread is ended. Call it in the
 * program of a thread, and await it there.
 *
 * @param open takes the configuration of `ScriptThread.start`, whatever type that has
 * @throws whatever `open` throws, but {@link StartRefusal}
 */
export async function serveScript<Request, Answer, Greeting>(
  open: (configuration: never) => Promise<Served<Request, Answer, Greeting>>,
): Promise<void> {
  const port = parentPort;
  if (!port) throw new Error("This program runs as a thread only");
  const say = (message: ThreadMessage<Answer, Greeting>): void => port.postMessage(message);
  let served: Served<Request, Answer, Greeting>;
  try {
    served = await open(workerData as never);
  } catch (error) {
    if (!(error instanceof StartRefusal)) throw error;
    return say({ kind: "refused", detail: error.detail });
  }
  port.on("message", (request: Request) => say({ kind: "answer", answer: served.answer(request) }));
  say({ kind: "ready", greeting: served.greeting });
}
