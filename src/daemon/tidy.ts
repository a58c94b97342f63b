/**
 * Gives back memory after work. A plan of thousands of circuits makes much garbage in a moment; without this the process
 * would hold on to it for as long as it idles, which on a router is most of its life.
 */
import { mallocTrim } from "../linux/ffi.ts";

/** Milliseconds of quiet after which it is worth it. */
const QUIET = 2000;

/** There with `node --expose-gc`, as `bin/sluiced` starts it. */
type Collect = (options?: { readonly type: "major"; readonly flavor?: "last-resort" }) => void;

/** Tidies up when nothing happens any more. */
export class Tidy implements Disposable {
  #timer: NodeJS.Timeout | undefined;

  /** Something was done. */
  worked(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      (globalThis as { readonly gc?: Collect }).gc?.({ type: "major", flavor: "last-resort" });
      mallocTrim(0);
    }, QUIET);
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
