/**
 * Writes what completes commands, flags and values in bash, zsh and fish into a folder, each below the name that its shell
 * looks for: `node tools/completions.ts FOLDER`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readDaemon } from "./command-line/daemon.ts";
import { readTable } from "./command-line/table.ts";
import { bashCompletion } from "./completions/bash.ts";
import { fishCompletion } from "./completions/fish.ts";
import { zshCompletion } from "./completions/zsh.ts";

/** Every script by its path, `bash/sluice`. */
export function completionScripts(): Readonly<Record<string, string>> {
  const programs = [readTable(), readDaemon()];
  return Object.fromEntries(
    programs.flatMap((program) => [
      [`bash/${program.name}`, bashCompletion(program)],
      [`zsh/_${program.name}`, zshCompletion(program)],
      [`fish/${program.name}.fish`, fishCompletion(program)],
    ]),
  );
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === undefined || folder.startsWith("-")) {
    console.error("usage: tools/completions.ts FOLDER");
    process.exitCode = 64;
  } else {
    for (const [path, text] of Object.entries(completionScripts())) {
      mkdirSync(join(folder, path, ".."), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
  }
}
