/** What a worker says for people: lines of JSON; anything else is what Node says when a program fails. */
import { logger } from "../../core/log.ts";

/** What it last had to complain of, if anything. */
export type Complaint = string | undefined;

const LEVELS = ["debug", "info", "warning", "error"] as const;
type Level = (typeof LEVELS)[number];

const log = logger("relay", "worker");

/** The message of a line and how much it matters; undefined for one that is no message. */
function parse(line: string): { readonly level: Level; readonly message: string } | undefined {
  try {
    const { level, message } = JSON.parse(line) as { readonly level?: unknown; readonly message?: unknown };
    const known = LEVELS.find((name) => name === level);
    return known && typeof message === "string" ? { level: known, message } : undefined;
  } catch {
    return undefined;
  }
}

/** Takes the lines of one life. */
export class WorkerLog {
  readonly #name: string;
  #complaint: Complaint;

  /** @param name the interface */
  constructor(name: string) {
    this.#name = name;
  }

  /** What it last had to complain of. */
  get complaint(): Complaint {
    return this.#complaint;
  }

  /** A line that it said. */
  take(line: string): void {
    const said = parse(line);
    const message = said?.message ?? line.trim();
    if (said?.level === "error" || (!said && /^\w*Error\b/.test(line))) this.#complaint = message;
    log[said?.level ?? "error"]("{name}: {text}", { name: this.#name, text: message });
  }
}
