/** Levels of the logs, changed while the daemon runs. */
import type { Output } from "../api/routes.ts";
import { configureLogs, logCategories, type LogLevels } from "../core/log.ts";

/** The levels that hold. */
export class Logs {
  readonly #write: (line: string) => void;
  readonly #journal: boolean;
  #configured: LogLevels = { "": "info" };
  #set: LogLevels = {};

  /** @param journal whether journald reads the lines */
  constructor(write: (line: string) => void, journal: boolean) {
    this.#write = write;
    this.#journal = journal;
  }

  /** Goes by other settings; what was set by hand stays on top until the daemon is started anew. */
  async adopt(levels: LogLevels): Promise<void> {
    this.#configured = levels;
    await this.#apply();
  }

  /** Sets levels by hand. */
  async set(levels: LogLevels): Promise<void> {
    this.#set = { ...this.#set, ...levels };
    await this.#apply();
  }

  /** What is to be seen of them. */
  output(): Output<"log.get"> {
    return { schema: "sluice/log/1", levels: { ...this.#configured, ...this.#set }, categories: logCategories() };
  }

  #apply(): Promise<void> {
    return configureLogs({ ...this.#configured, ...this.#set }, this.#write, this.#journal);
  }
}
