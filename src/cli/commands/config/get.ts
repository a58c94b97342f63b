/** `sluice config get [ID]`: what holds, or the files of one that is kept. */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { answer, answerJson, type CliContext, note } from "../../context.ts";
import { ask } from "../../perform.ts";
import { warningLines } from "../../render/problems.ts";
import { sectionLines } from "../../render/sections.ts";
import { reporting } from "../../report.ts";
import { configurationId } from "../rollback.ts";

interface Flags {
  readonly json: boolean;
  readonly output?: string;
}

async function current(context: CliContext, flags: Flags): Promise<void> {
  const output = await ask(context, "config.get", {});
  if (flags.json) return answerJson(context, output);
  const { configuration, file, problems } = output;
  const entries = [
    ["File", file],
    ["Holds", configuration ? `${configuration.id}${configuration.pinned ? " (pinned)" : ""}` : undefined],
    ["Loaded at", configuration?.loadedAt],
    ["Digest", configuration?.digest],
  ] as const;
  for (const line of warningLines(problems)) note(context, line);
  return answer(context, sectionLines([{ title: "Configuration", entries }]).join("\n"));
}

async function get(this: CliContext, flags: Flags, word?: string): Promise<void> {
  if (word === undefined) return current(this, flags);
  const id = configurationId(word, "sluice config get");
  const output = await ask(this, "config.version", { params: { id: String(id) } });
  const { output: folder } = flags;
  if (folder !== undefined) {
    mkdirSync(folder, { recursive: true });
    for (const { path, text } of output.files) writeFileSync(join(folder, basename(path)), text, { flag: "wx" });
    note(this, `${output.files.length} files written to ${folder}`);
  }
  if (flags.json) return answerJson(this, output);
  if (folder !== undefined) return undefined;
  return answer(this, output.files.map(({ role, path, text }) => `# ${role}: ${path}\n${text}`).join("\n"));
}

/** Runs the command. */
export default reporting(get);
