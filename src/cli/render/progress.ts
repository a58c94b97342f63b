/** A progress bar on stderr, on a terminal only, and only for what takes long enough to be worth it. */
import type { Output } from "../context.ts";

/** Below this many actions an apply is over before a bar could be read. */
const WORTH_SHOWING = 2000;
const WIDTH = 40;

/** Makes the callback that draws the bar; undefined when there is nobody to see it. */
export function progressBar(output: Output): ((done: number, total: number) => void) | undefined {
  if (!output.isTTY) return undefined;
  return (done, total) => {
    if (total < WORTH_SHOWING) return;
    const filled = Math.round((WIDTH * done) / total);
    const bar = "#".repeat(filled) + ".".repeat(WIDTH - filled);
    output.write(`\r[${bar}] ${done}/${total}${done === total ? "\n" : ""}`);
  };
}
