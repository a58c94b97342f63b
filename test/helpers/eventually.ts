/** Waits for what the kernel does on its own time: tries until the assertions hold, or gives their last failure. */
import { setTimeout } from "node:timers/promises";

/** Tries every 5 ms for at most 3 s. */
export async function eventually(body: () => void): Promise<void> {
  for (const deadline = performance.now() + 3000; ; await setTimeout(5)) {
    try {
      return body();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}
