/** Reads what LibreQoS reads: its configuration and its two data files. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Problem, problem, SluiceError } from "../../core/errors.ts";
import { readText } from "../../linux/text-file.ts";
import type { LibreqosFiles } from "./build.ts";
import { type LqosConf, parseLqosConf } from "./lqos-conf.ts";

/** Where LibreQoS has its configuration. */
export const LQOS_CONF = "/etc/lqos.conf";

/** Reads an `lqos.conf`. @throws SluiceError with everything that is wrong with it */
export function readLqosConf(file: string): LqosConf {
  const read = readText(file, "CONFIG_UNREADABLE");
  if ("problem" in read) throw new SluiceError([read.problem]);
  const { conf, problems } = parseLqosConf(read.text, file);
  if (!conf) throw new SluiceError(problems);
  return conf;
}

/** Reads a file as Python does: UTF-8 and nothing else, and a byte order mark is a character like others. */
export function readUtf8(file: string): { readonly text: string } | { readonly problem: Problem } {
  const readable = readText(file, "FILE_UNREADABLE");
  if ("problem" in readable && readable.problem.code === "FILE_UNREADABLE") return readable;
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(file)) };
  } catch {
    const reason = "it is not UTF-8, and LibreQoS ends here with UnicodeDecodeError";
    return { problem: problem("FILE_ENCODING", { file, reason }, { file }) };
  }
}

/** Reads the two data files. @throws SluiceError for those that cannot be read */
export function readLibreqosFiles(paths: { readonly network: string; readonly devices: string }): LibreqosFiles {
  const network = readUtf8(paths.network);
  const devices = readUtf8(paths.devices);
  if ("problem" in network || "problem" in devices) {
    const problems = [network, devices].flatMap((read): Problem[] => ("problem" in read ? [read.problem] : []));
    throw new SluiceError(problems);
  }
  return {
    network: { text: network.text, file: paths.network },
    devices: { text: devices.text, file: paths.devices },
  };
}

/**
 * Where the two files are.
 *
 * @param from folder to look in instead of the configuration's
 */
export function dataPaths(conf: LqosConf, from?: string): { network: string; devices: string } {
  const folder = resolve(from ?? conf.directory);
  const twin = (plain: string, insight: string): string => {
    const path = join(folder, insight);
    return conf.insight && existsSync(path) ? path : join(folder, plain);
  };
  return {
    network: twin("network.json", "network.insight.json"),
    devices: twin("ShapedDevices.csv", "ShapedDevices.insight.csv"),
  };
}
