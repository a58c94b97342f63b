/** Waits for what the kernel does on its own time: tries until nothing is thrown any more, or gives the last failure. */
import { setTimeout } from "node:timers/promises";

/** Tries every 5 ms for at most 3 s. */
export async function eventually<T>(body: () => T | Promise<T>): Promise<T> {
  for (const deadline = performance.now() + 3000; ; await setTimeout(5)) {
    try {
      return await body();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
