/** Waits for what the kernel does on its own time: tries until nothing is thrown any more, or gives the last failure. */
import { setTimeout } from "node:timers/promises";

/** Tries for at most 3 s, or as long as is said (ms): every 5 ms, after 3 s less often. */
export async function eventually<T>(body: () => T | Promise<T>, within = 3000): Promise<T> {
  const started = performance.now();
  for (;;) {
    try {
      return await body();
    } catch (error) {
      const waited = performance.now() - started;
      if (waited > within) throw error;
      await setTimeout(waited > 3000 ? 50 : 5);
    }
  }
}
