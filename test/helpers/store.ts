/** A state database in a folder that goes with it. */
import { mkdtempSync, rmSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openStore } from "../../src/store/db.ts";

/** Opens one. */
export class TemporaryStore implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "sluice-store-"));
  readonly db: DatabaseSync = openStore(join(this.#folder, "state.db"));

  [Symbol.dispose](): void {
    this.db.close();
    rmSync(this.#folder, { recursive: true });
  }
}
