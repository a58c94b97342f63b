/** Does tc actions through iproute2's `tc -batch`, for machines and people that want just that; the classifier as ever. */
import type { Executor, Outcome } from "../../core/executor.ts";
import { type TcRunner } from "../../linux/tc/runner.ts";
import { type ShaperAction, tcLine } from "../actions.ts";

const BATCH = 1024;

/** Hands lines to `tc -batch -`, and everything that tc cannot do to another executor. */
export class TcBatchExecutor implements Executor<ShaperAction> {
  readonly batch = BATCH;
  readonly #tc: TcRunner;
  readonly #rest: Executor<ShaperAction>;

  constructor(tc: TcRunner, rest: Executor<ShaperAction>) {
    this.#tc = tc;
    this.#rest = rest;
  }

  async run(actions: readonly ShaperAction[]): Promise<readonly Outcome[]> {
    const lines: string[] = [];
    for (const action of actions) {
      const line = tcLine(action);
      if (line === undefined) break;
      lines.push(line);
    }
    return lines.length > 0 ? this.#tc.batch(lines) : this.#rest.run(actions.slice(0, 1));
  }
}
