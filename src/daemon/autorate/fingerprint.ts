/** Whether a link is still the same: its configuration, and the texts of the files that it is made of. */
import { createHash } from "node:crypto";
import type { LinkConfig } from "../../autorate/config.ts";
import { isScript } from "../../autorate/settings/controller-name.ts";
import { readText } from "../../linux/text-file.ts";

/** A script that was mended has the same path as before. */
const textOf = (path: string): string => {
  const read = readText(path, "FILE_UNREADABLE");
  return "problem" in read ? read.problem.message : read.text;
};

/** What changes when anything of a link does. Reads its scripts and its list of reflectors. */
export function fingerprint(config: LinkConfig): string {
  const { controller, plugins, probe } = config;
  const scripts = isScript(controller) ? [controller, ...plugins] : plugins;
  const files = [...scripts, ...(probe.reflectorFile === undefined ? [] : [probe.reflectorFile])];
  const whole = JSON.stringify([config, ...files.map((path) => textOf(path))]);
  return createHash("sha256").update(whole).digest("hex");
}
