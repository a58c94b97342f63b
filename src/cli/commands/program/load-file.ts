/** `sluice program load file`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { messageOf, sluiceError } from "../../../core/errors.ts";
import type { CliContext } from "../../context.ts";
import { perform } from "../../perform.ts";
import { reporting } from "../../report.ts";
import { answerLoaded, type LoadFlags, loadingOf } from "./load.ts";

interface Flags extends LoadFlags {
  readonly programs: readonly string[];
}

/** Reads the object file. @throws SluiceError FILE_UNREADABLE */
function readObject(file: string): string {
  try {
    return readFileSync(file, "base64");
  } catch (error) {
    throw sluiceError("FILE_UNREADABLE", { file, reason: messageOf(error) }, { cause: error });
  }
}

async function loadFile(this: CliContext, flags: Flags, file: string): Promise<void> {
  const { parseProgram } = await import("../../../control/words.ts");
  const programs = flags.programs.map((word) => ({ ...parseProgram(word) }));
  const loading = await loadingOf(flags);
  const body = { objectBase64: readObject(file), path: resolve(file), programs, ...loading };
  answerLoaded(this, flags, await perform(this, { direct: flags.direct }, "programs.load", { body }));
}

/** Runs the command. */
export default reporting(loadFile);
