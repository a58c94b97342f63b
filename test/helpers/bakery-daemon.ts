/** A daemon that is configured as a recorded run of LibreQoS was. */
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { LibreqosSettings } from "../../src/shaper/libreqos/settings.ts";
import type { DaemonLab } from "./daemon.ts";

const CLIENT = join(import.meta.dirname, "../../clients/python");

/** Why the scripts of the Python client do not run, for `skip`. */
export const skipPython: string | false =
  spawnSync("python3", ["--version"]).status === 0 ? false : "there is no python3";

/** `[shaper]` and `[bakery]` of the settings that a run was recorded with. */
function configuration(settings: LibreqosSettings, mode: "file" | "execute"): string {
  const { link, capacity, defaultSqm, queuesAvailable } = settings;
  const interfaces = link.onAStick
    ? [`interface = "${link.lan}"`, "lan_vlan = 2", "internet_vlan = 3"]
    : [`lan = "${link.lan}"`, `internet = "${link.internet}"`];
  return [
    "[shaper]",
    'dialect = "libreqos"',
    'network = "network.json"',
    'devices = "ShapedDevices.csv"',
    ...interfaces,
    `download = ${capacity.download}`,
    `upload = ${capacity.upload}`,
    `leaf = "${defaultSqm}"`,
    `queues = ${queuesAvailable}`,
    "[bakery]",
    `mode = "${mode}"`,
    `queues = ${queuesAvailable}`,
  ].join("\n");
}

/** What a run was made from. */
export interface RecordedInputs {
  readonly settings: LibreqosSettings;
  readonly network: string;
  readonly devices: string;
}

/** Writes the configuration into a lab. */
export function configureBakery(lab: DaemonLab, inputs: RecordedInputs, mode: "file" | "execute"): void {
  writeFileSync(lab.path("sluice.toml"), configuration(inputs.settings, mode));
  writeFileSync(lab.path("network.json"), inputs.network);
  writeFileSync(lab.path("ShapedDevices.csv"), inputs.devices);
}

/** Runs one of the client's scripts against a lab's daemon. */
export function runScript(lab: DaemonLab, script: string, args: readonly string[] = []) {
  const env = { ...process.env, SLUICE_ROOT: lab.shaped.root, PYTHONDONTWRITEBYTECODE: "1" };
  return spawnSync("python3", [join(CLIENT, script), ...args], { encoding: "utf8", env });
}
