/** Writes down what would be done: the `tc` batch, with everything that tc cannot do as comments. */
import { appendFileSync, writeFileSync } from "node:fs";
import type { Executor, Outcome } from "../../core/executor.ts";
import { SHAPER_ACTIONS, type ShaperAction, tcLine } from "../actions.ts";

/** An action as a line of a batch file; `tc -batch` passes over comments. */
export const batchLine = (action: ShaperAction): string =>
  tcLine(action) ?? `# ${SHAPER_ACTIONS.sign(action)} ${SHAPER_ACTIONS.describe(action)}`;

/** Appends to a file that it empties first; `comments` keeps what tc cannot do as comments, or leaves it out. */
export class FileExecutor implements Executor<ShaperAction> {
  readonly batch = 4096;
  readonly #path: string;
  readonly #comments: boolean;

  constructor(path: string, comments: boolean) {
    this.#path = path;
    this.#comments = comments;
    writeFileSync(path, "");
  }

  run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    const written = this.#comments ? actions : actions.filter((action) => tcLine(action) !== undefined);
    appendFileSync(this.#path, written.map((action) => `${batchLine(action)}\n`).join(""));
    return Promise.resolve(actions.map(() => undefined));
  }
}
