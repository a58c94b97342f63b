/** `sluice program load file`. */
import { resolve } from "node:path";
import { readObjectFile } from "../../../dispatcher/manage.ts";
import { parseProgram } from "../../../dispatcher/words.ts";
import type { CliContext } from "../../context.ts";
import { reporting } from "../../report.ts";
import { loadAndAnswer, type LoadFlags } from "./load.ts";

interface Flags extends LoadFlags {
  readonly programs: readonly string[];
}

async function loadFile(this: CliContext, flags: Flags, file: string): Promise<void> {
  const programs = flags.programs.map((word) => parseProgram(word));
  const path = resolve(file);
  return loadAndAnswer(this, flags, {
    label: file,
    source: { kind: "file", path },
    programs,
    image: readObjectFile(file),
  });
}

/** Runs the command. */
export default reporting(loadFile);
