/** Runs iproute2's `tc -batch`. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Netns } from "../netns.ts";
import { decodeFailures } from "./failures-codec.ts";

/** A line that tc refused, with tc's own words. */
class TcError extends Error {
  override readonly name = "TcError";
}

/** Runs `tc` in a network namespace, this thread's own when left out. */
export class TcRunner {
  readonly #ns: Netns | undefined;

  constructor(ns?: Netns) {
    this.#ns = ns;
  }

  /**
   * Does the lines (without `tc`) in order; stops at the first that is refused, unless it is forced to go on.
   *
   * @returns an outcome per line that was tried
   */
  async batch(lines: readonly string[], force = false): Promise<(Error | undefined)[]> {
    const options = force ? ["-force", "-batch", "-"] : ["-batch", "-"];
    const start = () => spawn("tc", options, { stdio: ["pipe", "ignore", "pipe"] });
    const child = this.#ns ? this.#ns.run(start) : start();
    const exit = new Promise<number | null>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code));
    });
    // tc stops reading at the line it refuses; what was still to be written is nobody's any more.
    child.stdin.on("error", () => undefined);
    child.stdin.end(lines.map((line) => `${line}\n`).join(""));
    const [errors, code] = await Promise.all([text(child.stderr), exit]);
    if (code === 0) return lines.map(() => undefined);
    const failures = decodeFailures(errors);
    // It ended without a word of any line: then the first is as far as it is known to have come.
    if (![...failures.keys()].some((line) => line > 0))
      failures.set(1, failures.get(0) ?? `tc ended with code ${code}`);
    const last = force ? lines.length : Math.min(...[...failures.keys()].filter((line) => line > 0));
    return lines.slice(0, last).map((_, i) => {
      const reason = failures.get(i + 1);
      return reason === undefined ? undefined : new TcError(`tc: ${reason}`);
    });
  }
}
