/** One life of a script's thread: from its start to its first fault or its end. */
import { Worker } from "node:worker_threads";
import { messageOf } from "../../core/errors.ts";
import { ScriptFault } from "./fault.ts";
import type { ThreadMessage } from "./protocol.ts";

/** What a thread is started with. */
export interface LifeOptions {
  /** The file of its program, which calls `serveScript` (serve.ts). */
  readonly program: URL;
  /** Shown by the system's tools. */
  readonly name: string;
  /** MiB of JavaScript's own memory; what WebAssembly takes is not in it. */
  readonly heap: number;
}

/** A thread that was started. It does not keep the process from ending; who waits for an answer does. */
export class Life<Request, Answer, Greeting> {
  /** When it was started, ms of the clock of `performance`. */
  readonly since = performance.now();
  readonly #worker: Worker;
  readonly #onFault: (fault: ScriptFault) => void;
  #waiting: PromiseWithResolvers<ThreadMessage<Answer, Greeting>> | undefined;
  #fault: ScriptFault | undefined;

  /** @param onFault called at most once, when there will be no more answers */
  constructor(options: LifeOptions, configuration: unknown, onFault: (fault: ScriptFault) => void) {
    const { program, name, heap } = options;
    this.#onFault = onFault;
    const compileCache = process.env["NODE_COMPILE_CACHE"];
    this.#worker = new Worker(program, {
      name,
      workerData: configuration,
      // Flags that are about the process's own program would keep it from starting.
      execArgv: [],
      // Nothing of the environment is its business, but where compiled sources are kept: without, it loads a compiler.
      env: compileCache === undefined ? {} : { NODE_COMPILE_CACHE: compileCache },
      // What it prints goes nowhere: the process's output is an answer to somebody.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heap, maxYoungGenerationSizeMb: Math.ceil(heap / 4) },
    });
    this.#worker.unref();
    this.#worker.stdout.resume();
    this.#worker.stderr.resume();
    this.#worker
      .on("message", (message: ThreadMessage<Answer, Greeting>) => this.#waiting?.resolve(message))
      .on("messageerror", (error) => this.#over(new ScriptFault("died", `unreadable answer: ${messageOf(error)}`)))
      .on("error", (error) => this.#over(new ScriptFault("died", messageOf(error))))
      .on("exit", () => this.#over(new ScriptFault("died", "the thread ended")));
  }

  #over(fault: ScriptFault): void {
    if (this.#fault) return;
    this.#fault = fault;
    this.#waiting?.reject(fault);
    this.#onFault(fault);
  }

  /** The next message, or the fault that comes first. */
  async #next(deadline: number): Promise<ThreadMessage<Answer, Greeting>> {
    if (this.#fault) throw this.#fault;
    if (this.#waiting) throw new ScriptFault("busy", "it is at another request");
    this.#waiting = Promise.withResolvers();
    // When this event loop was late itself, an answer may be waiting behind the timer: it is let through first.
    const expire = (): void => this.#over(new ScriptFault("deadline", `no answer within ${deadline} ms`));
    let late: NodeJS.Immediate | undefined;
    const timer = setTimeout(() => (late = setImmediate(expire)), deadline);
    try {
      return await this.#waiting.promise;
    } finally {
      clearTimeout(timer);
      clearImmediate(late);
      this.#waiting = undefined;
    }
  }

  /** Waits until it is there. @throws ScriptFault */
  async started(deadline: number): Promise<Greeting> {
    const message = await this.#next(deadline);
    if (message.kind === "ready") return message.greeting;
    const detail = message.kind === "refused" ? message.detail : undefined;
    throw new ScriptFault("refused", "the script refuses to start", detail);
  }

  /** One answer. @throws ScriptFault after which there are no more answers, but `busy` */
  async call(request: Request, deadline: number): Promise<Answer> {
    const answer = this.#next(deadline);
    this.#worker.postMessage(request);
    const message = await answer;
    if (message.kind === "answer") return message.answer;
    throw new ScriptFault("died", `unexpected answer: ${message.kind}`);
  }

  /** Ends it, whatever it is at. */
  async end(): Promise<void> {
    this.#over(new ScriptFault("closed", "it was ended"));
    await this.#worker.terminate();
  }
}
