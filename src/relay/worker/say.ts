/** What a worker says for people: a line of JSON on its standard error, which its supervisor logs. */
import { writeSync } from "node:fs";

/** Says it. Nothing is said when nobody listens. */
export function say(level: "debug" | "info" | "warning" | "error", message: string): void {
  try {
    writeSync(2, `${JSON.stringify({ level, message })}\n`);
  } catch {
    // EPIPE: its supervisor is gone, and so will this be.
  }
}
