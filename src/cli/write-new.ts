/** Files that a command writes for its caller, and never over one. */
import { writeFileSync } from "node:fs";
import { sluiceError } from "../core/errors.ts";

/** Writes a file that is not there yet. @throws SluiceError USAGE when it is */
export function writeNew(path: string, text: string, command: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    const reason = `"${path}" is there already and is not overwritten`;
    throw sluiceError("USAGE", { reason, command }, { cause: error });
  }
}
