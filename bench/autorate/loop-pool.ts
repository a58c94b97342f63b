/** Processes that carry out orders on simulated lines, one at a time each. */
import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { RunFigures } from "../../src/autorate/figures/figures.ts";
import type { Both } from "../../src/core/both.ts";

/** One run. */
export interface LoopOrder {
  readonly scenario: string;
  /** As parseContestant reads it. */
  readonly controller: string;
  readonly seed: number;
}

/** What came out. */
export interface LoopOutcome extends LoopOrder {
  readonly figures: Both<RunFigures>;
}

/** Has one process carry out what is left until nothing is. @throws Error when it ends before */
function work(child: ChildProcess, left: Iterator<LoopOrder>, done: LoopOutcome[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const order = left.next();
      if (order.done) resolve();
      else child.send(order.value);
    };
    child.on("message", (outcome: LoopOutcome) => {
      done.push(outcome);
      next();
    });
    child.once("exit", (code) => reject(new Error(`A simulation ended with ${code}, its error is above`)));
    next();
  });
}

/** Processes that are ready. Dispose to end them. */
export class LoopPool implements Disposable {
  readonly #children: readonly ChildProcess[];

  constructor(jobs: number) {
    const path = join(import.meta.dirname, "loop-worker.ts");
    // Figures have Infinity and NaN in them, which JSON has not.
    this.#children = Array.from({ length: jobs }, () => fork(path, { serialization: "advanced" }));
  }

  /** Carries out all of them, in any order. @throws Error when one fails */
  async carryOut(orders: readonly LoopOrder[]): Promise<LoopOutcome[]> {
    const done: LoopOutcome[] = [];
    const left = orders.values();
    await Promise.all(this.#children.map((child) => work(child, left, done)));
    for (const child of this.#children) child.removeAllListeners("message").removeAllListeners("exit");
    return done;
  }

  [Symbol.dispose](): void {
    for (const child of this.#children) child.kill();
  }
}
