/** Runs one test file in a process of its own and gathers what became of its tests. */
import { relative } from "node:path";
import { run } from "node:test";
import type { EventData } from "node:test";

/** A test that failed, or something around tests that did: a hook, the file itself. */
export interface Failure {
  /** Titles from the outermost suite to the test; empty for the file itself. */
  readonly path: readonly string[];
  /** What was thrown, or a sentence. */
  readonly cause: unknown;
}

/** A test that did not run, and why. */
export interface Skip {
  readonly path: readonly string[];
  readonly reason: string;
}

/** What became of a file. Tests with tests inside and suites are not counted, only their leaves. */
export interface FileResult {
  readonly file: string;
  readonly passed: number;
  readonly failures: readonly Failure[];
  /** What failed at first, and not when the file was run again. */
  readonly unsteady?: readonly Failure[];
  readonly skips: readonly Skip[];
  /** What its tests measured, by `t.diagnostic`. */
  readonly notes: readonly string[];
  /** What it wrote to stdout and stderr. */
  readonly output: string;
  readonly milliseconds: number;
}

/** After this many milliseconds a file is stopped: it hangs. An emulated processor has a multiple of it. */
export const TIMEOUT = { native: 600_000, emulated: 1_200_000 } as const;
const timeout = TIMEOUT[process.env["SLUICE_TEST_EMULATED"] === "1" ? "emulated" : "native"];

type Ended = EventData.TestPass | EventData.TestFail;
const NO_REASON = "it is skipped without a reason: say why in { skip: reason } or t.skip(reason)";

/** Collects the events of one file; `entryFile` stands on those that come from inside its process. */
class Collector {
  readonly #parents = new Set<number>();
  readonly #tests = new Map<number, { readonly name: string; readonly parent: number | undefined }>();
  readonly failures: Failure[] = [];
  readonly skips: Skip[] = [];
  readonly notes: string[] = [];
  passed = 0;
  output = "";
  /** Whether the process reported any test of its own, if only a failed hook. */
  #spoke = false;

  enqueue(test: EventData.TestEnqueue): void {
    if (!("entryFile" in test)) return;
    this.#spoke = true;
    this.#tests.set(test.testId, { name: test.name, parent: test.parentId });
    if (test.parentId !== undefined) this.#parents.add(test.parentId);
  }

  end(test: Ended): void {
    const path = "entryFile" in test ? this.#path(test) : [];
    const error = "error" in test.details ? test.details.error : undefined;
    const leaf = test.details.type === "test" && !this.#parents.has(test.testId);
    const skip = test.skip ?? test.todo;
    if (skip !== undefined && skip !== false) {
      const reason = skip === true ? undefined : skip;
      if (reason) this.skips.push({ path, reason: test.skip === undefined ? `to do: ${reason}` : reason });
      else this.failures.push({ path, cause: NO_REASON });
    } else if (error) {
      // That a test inside failed is no failure of its own.
      if ((error as { failureType?: string }).failureType === "subtestsFailed") return;
      const when = this.#spoke ? "" : " before its first test";
      const cause = path.length === 0 ? `its process ended badly${when}: ${error.message}` : (error.cause ?? error);
      this.failures.push({ path, cause });
    } else if (leaf && path.length > 0) {
      this.passed += 1;
    }
  }

  #path(test: Ended): string[] {
    // A hook at the top of a file that fails has no id, and the file for a name.
    const path = this.#tests.has(test.testId) ? [test.name] : ["(hook)"];
    for (let parent = test.parentId; parent;) {
      const known = this.#tests.get(parent);
      if (!known) break;
      path.unshift(known.name);
      parent = known.parent;
    }
    return path;
  }
}

/** Runs the test file (an absolute path) and resolves when its process is gone; never rejects. */
export function runFile(root: string, file: string): Promise<FileResult> {
  const start = performance.now();
  const collector = new Collector();
  return new Promise((resolve) => {
    // Not run's own `timeout`, which fails the test but waits for its process all the same.
    const stopped = new AbortController();
    const stop = () => stopped.abort();
    process.once("exit", stop);
    const signal = AbortSignal.any([AbortSignal.timeout(timeout), stopped.signal]);
    const stream = run({ files: [file], cwd: root, concurrency: 1, isolation: "process", signal });
    stream.on("test:enqueue", (test) => collector.enqueue(test));
    stream.on("test:pass", (test) => collector.end(test));
    stream.on("test:fail", (test) => collector.end(test));
    // Those of the run itself, its counts, have no file.
    stream.on("test:diagnostic", (note) => void (note.file !== undefined && collector.notes.push(note.message)));
    stream.on("test:stdout", ({ message }) => (collector.output += message));
    stream.on("test:stderr", ({ message }) => (collector.output += message));
    stream.on("end", () => {
      const { passed, failures, skips, notes, output } = collector;
      if (passed + failures.length + skips.length === 0) failures.push({ path: [], cause: "there is no test in it" });
      const milliseconds = performance.now() - start;
      process.off("exit", stop);
      resolve({ file: relative(root, file), passed, failures, skips, notes, output, milliseconds });
    });
    stream.resume();
  });
}
