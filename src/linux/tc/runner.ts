/** Runs iproute2's `tc -batch`. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import type { Netns } from "../netns.ts";

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
   * Does the lines (without `tc`) in order; stops at the first that is refused.
   *
   * @returns an outcome per line that was tried
   */
  async batch(lines: readonly string[]): Promise<(Error | undefined)[]> {
    const start = () => spawn("tc", ["-batch", "-"], { stdio: ["pipe", "ignore", "pipe"] });
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
    const failed = Number(/Command failed -:(\d+)/.exec(errors)?.[1] ?? 1);
    const reason = errors.replace(/^Command failed -:\d+\s*$/m, "").trim() || `tc ended with code ${code}`;
    return [...lines.slice(0, failed - 1).map(() => undefined), new TcError(`tc: ${reason}`)];
  }
}
