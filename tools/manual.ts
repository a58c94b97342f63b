/**
 * Writes the manual pages into a folder: `node tools/manual.ts FOLDER`, of the day in SOURCE_DATE_EPOCH or today. With `--help-golden` it prints the help of every
 * command instead, for test/fixtures/cli-help.txt.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { VERSION } from "../src/linux/version.ts";
import { readDaemon } from "./command-line/daemon.ts";
import { helpGolden } from "./command-line/help.ts";
import { readTable } from "./command-line/table.ts";
import { commandPage } from "./manual/command-page.ts";
import { configurationPage } from "./manual/configuration-page.ts";
import { daemonPage } from "./manual/daemon-page.ts";

/** Every page by the name of its file, as of a time in seconds of Unix. */
export function manualPages(epoch: number): Readonly<Record<string, string>> {
  const edition = { version: VERSION, date: new Date(epoch * 1000).toISOString().slice(0, 10) };
  return {
    "sluice.1": commandPage(readTable(), edition),
    "sluiced.8": daemonPage(readDaemon(), edition),
    "sluice.toml.5": configurationPage(edition),
  };
}

if (import.meta.main) {
  const [folder] = process.argv.slice(2);
  if (folder === "--help-golden") {
    process.stdout.write(await helpGolden());
  } else if (folder === undefined || folder.startsWith("-")) {
    console.error("usage: tools/manual.ts FOLDER | --help-golden");
    process.exitCode = 64;
  } else {
    const epoch = Number(process.env["SOURCE_DATE_EPOCH"] ?? Date.now() / 1000);
    mkdirSync(folder, { recursive: true });
    for (const [name, text] of Object.entries(manualPages(epoch))) writeFileSync(join(folder, name), text);
  }
}
