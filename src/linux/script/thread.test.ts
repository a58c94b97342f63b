/** Real threads: this file is their program, too. */
import assert from "node:assert/strict";
import { after, afterEach, test } from "node:test";
import { isMainThread } from "node:worker_threads";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { ScriptFault } from "./fault.ts";
import { serveScript, StartRefusal } from "./serve.ts";
import { type ScriptEvent, ScriptThread, type ScriptThreadOptions } from "./thread.ts";

/** How the program behaves. */
interface Configuration {
  readonly start: "well" | "refused" | "throws" | "hangs";
  readonly life: number;
}

type Request = "who" | "hang" | "throw" | "exit" | "fill";

const hang = (): never => {
  for (;;);
};

function answer(request: Request, life: number): string {
  if (request === "hang") hang();
  if (request === "throw") throw new Error("thrown on purpose");
  if (request === "exit") process.exit(3);
  if (request === "fill") for (const all: string[][] = []; ;) all.push(Array.from({ length: 10_000 }, String));
  return `life ${life}`;
}

async function open({ start, life }: Configuration) {
  if (start === "refused") throw new StartRefusal({ line: 7 });
  if (start === "throws") throw new Error("broken");
  if (start === "hangs") hang();
  return { greeting: { life }, answer: (request: Request) => answer(request, life) };
}

const open_: AsyncDisposable[] = [];

class Lab {
  readonly events: ScriptEvent[] = [];
  starts: Configuration["start"][] = [];
  #life = 0;
  #told: (() => void) | undefined;

  async thread(options: Partial<ScriptThreadOptions<Configuration>> = {}) {
    const thread = await ScriptThread.start<Configuration, Request, string, { life: number }>({
      program: new URL(import.meta.url),
      name: "test",
      heap: 32,
      configuration: () => ({ start: this.starts.shift() ?? "well", life: (this.#life += 1) }),
      deadline: 10_000,
      startDeadline: 10_000,
      backoff: { first: 1, most: 1, healthy: 60_000 },
      told: (event) => {
        this.events.push(event);
        this.#told?.();
      },
      ...options,
    });
    open_.push(thread);
    return thread;
  }

  /** Waits until something of this kind was told. */
  async told(kind: ScriptEvent["kind"]): Promise<ScriptEvent> {
    // Keeps the process: waiting for a thread does not.
    const kept = setInterval(() => undefined, 60_000);
    try {
      for (;;) {
        const event = this.events.find((e) => e.kind === kind);
        if (event) return event;
        await new Promise<void>((resolve) => {
          this.#told = resolve;
        });
      }
    } finally {
      clearInterval(kept);
    }
  }
}

const fault = (kind: ScriptFault["kind"], message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ScriptFault, String(error));
  assert.equal(error.kind, kind);
  if (message) assert.match(error.message, message);
  return true;
};

function tests(): void {
  checkFds();
  afterEach(async () => {
    await Promise.all(open_.splice(0).map((thread) => thread[Symbol.asyncDispose]()));
  });

  test("it answers, one request after the other", async () => {
    const thread = await new Lab().thread();
    assert.deepEqual(thread.greeting, { life: 1 });
    assert.equal(await thread.call("who"), "life 1");
    assert.equal(await thread.call("who"), "life 1");
    const first = thread.call("who");
    await assert.rejects(thread.call("who"), fault("busy"));
    assert.equal(await first, "life 1");
  });

  test("a request that takes too long fails at its deadline, and the thread is started again", async () => {
    const lab = new Lab();
    const thread = await lab.thread({ deadline: 1000 });
    await assert.rejects(thread.call("hang"), fault("deadline", /no answer within 1000 ms/));
    assert.equal(thread.there, false);
    await assert.rejects(thread.call("who"), fault("away", /started again: no answer within 1000 ms/));
    await lab.told("back");
    assert.equal(await thread.call("who"), "life 2");
    assert.deepEqual(
      lab.events.map(({ kind }) => kind),
      ["lost", "back"],
    );
  });

  for (const [request, message] of [
    ["throw", /thrown on purpose/],
    ["exit", /the thread ended/],
    ["fill", /memory/],
  ] as const)
    test(`a thread that dies is started again: ${request}`, async () => {
      const lab = new Lab();
      const thread = await lab.thread();
      await assert.rejects(thread.call(request), fault("died", message));
      await lab.told("back");
      assert.equal(await thread.call("who"), "life 2");
    });

  test("starting again is tried until it comes about", async () => {
    const lab = new Lab();
    lab.starts = ["well", "throws", "refused", "hangs", "well"];
    const thread = await lab.thread({ startDeadline: 5000 });
    await assert.rejects(thread.call("throw"), fault("died"));
    assert.equal((await lab.told("back")).kind, "back");
    assert.equal(await thread.call("who"), "life 5");
  });

  for (const [start, kind] of [
    ["refused", "refused"],
    ["throws", "died"],
    ["hangs", "deadline"],
  ] as const)
    test(`a first start that fails is told, and not tried again: ${start}`, async () => {
      const lab = new Lab();
      lab.starts = [start];
      await assert.rejects(lab.thread({ startDeadline: start === "hangs" ? 200 : 10_000 }), (error) => {
        if (start === "refused") assert.deepEqual((error as ScriptFault).detail, { line: 7 });
        return fault(kind)(error);
      });
      assert.deepEqual(lab.events, []);
    });

  test("a program that is not there is told", async () => {
    const program = new URL("no-such-worker.ts", import.meta.url);
    await assert.rejects(new Lab().thread({ program }), fault("died", /no-such-worker/));
  });

  test("it can be ended while it hangs, while it starts, and twice", async () => {
    const lab = new Lab();
    const thread = await lab.thread();
    const hanging = thread.call("hang");
    const refused = assert.rejects(hanging, fault("closed"));
    await thread[Symbol.asyncDispose]();
    await refused;
    await assert.rejects(thread.call("who"), fault("closed"));
    await thread[Symbol.asyncDispose]();

    lab.starts = ["well", "hangs"];
    const other = await lab.thread();
    await assert.rejects(other.call("throw"), fault("died"));
    await other[Symbol.asyncDispose]();
    assert.deepEqual(
      lab.events.map(({ kind }) => kind),
      ["lost"],
    );
  });

  test("an answer that is there is taken, even when this event loop was late for it", async () => {
    const thread = await new Lab().thread({ deadline: 50 });
    const answered = thread.call("who");
    // Holds up the loop for longer than the deadline, while the thread answers.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    assert.equal(await answered, "life 1");
  });

  after(() => assert.equal(open_.length, 0));
}

if (isMainThread) tests();
else await serveScript(open);
