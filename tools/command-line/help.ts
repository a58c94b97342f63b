/** The help of every command as a user sees it, one text: what test/fixtures/cli-help.txt holds. */
import { run, type StricliProcess } from "@stricli/core";
import { app } from "../../src/cli/app.ts";
import { systemClock } from "../../src/core/clock.ts";
import { allVerbs } from "./model.ts";
import { readTable } from "./table.ts";

/** What one command says of itself. */
async function helpOf(path: readonly string[]): Promise<string> {
  let said = "";
  const stream = { write: (text: string) => void (said += text) };
  const process = { stdout: stream, stderr: stream } as StricliProcess;
  await run(app, [...path, "--help"], { process, signal: new AbortController().signal, clock: systemClock });
  return said;
}

/** All of it: for each command a line with its name and the help below. */
export async function helpGolden(): Promise<string> {
  const { name, root } = readTable();
  const sections: string[] = [];
  for (const { path } of allVerbs(root)) {
    sections.push(`==== ${[name, ...path].join(" ")} --help\n${(await helpOf(path)).trimEnd()}\n`);
  }
  return sections.join("\n");
}
