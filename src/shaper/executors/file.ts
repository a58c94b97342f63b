/** Writes down what would be done: the `tc` batch, with everything that tc cannot do as comments. */
import { appendFileSync, writeFileSync } from "node:fs";
import type { Executor, Outcome } from "../../core/executor.ts";
import { SHAPER_ACTIONS, type ShaperAction, tcLine } from "../actions.ts";

/** An action as a line of a batch file; `tc -batch` passes over comments. */
export const batchLine = (action: ShaperAction): string =>
  tcLine(action) ?? `# ${SHAPER_ACTIONS.sign(action)} ${SHAPER_ACTIONS.describe(action)}`;

/** Appends to a file that it empties first. */
export class FileExecutor implements Executor<ShaperAction> {
  readonly batch = 4096;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
    writeFileSync(path, "");
  }

  run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    appendFileSync(this.#path, actions.map((action) => `${batchLine(action)}\n`).join(""));
    return Promise.resolve(actions.map(() => undefined));
  }
}
