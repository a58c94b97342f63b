/** Waits for what the kernel does on its own time: tries until nothing is thrown any more, or gives the last failure. */
import { setTimeout } from "node:timers/promises";

/** Tries every 5 ms for at most 3 s, or as long as is said (ms), then less often. */
export async function eventually<T>(body: () => T | Promise<T>, within = 3000): Promise<T> {
  const pause = within > 3000 ? 50 : 5;
  for (const deadline = performance.now() + within; ; await setTimeout(pause)) {
    try {
      return await body();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
