/** Recorded runs of LibreQoS, and its inputs made up in tests. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  buildLibreqos,
  type LibreqosBuilt,
  type LibreqosFiles,
  type LibreqosResult,
} from "../../src/shaper/libreqos/build.ts";
import { messageLine } from "../../src/shaper/libreqos/messages.ts";
import type { LibreqosSettings } from "../../src/shaper/libreqos/settings.ts";

/** Where recorded runs lie, beside the project: they are large, and not part of it. */
export const GOLDEN = resolve(import.meta.dirname, "../../../shared/golden/libreqos");

/** Why tests of recorded runs do not run, for `skip`. */
export const skipGolden: string | false = existsSync(GOLDEN) ? false : `there are no recorded runs in ${GOLDEN}`;

/** Folders of recorded runs: those below a folder that hold inputs. */
export function goldenCases(below = ""): string[] {
  if (skipGolden !== false) return [];
  return readdirSync(join(GOLDEN, below))
    .filter((name) => existsSync(join(GOLDEN, below, name, "settings.json")))
    .map((name) => join(below, name))
    .toSorted();
}

/** A file of a recorded run; undefined when the run did not get to it, or it is empty. */
export function goldenText(name: string, file: string): string | undefined {
  const path = join(GOLDEN, name, file);
  return existsSync(path) && statSync(path).size > 0 ? readFileSync(path, "utf8") : undefined;
}

/** A recorded table of inputs and outputs. */
export const goldenVector = (name: string): unknown => JSON.parse(readFileSync(join(GOLDEN, "vectors", name), "utf8"));

/** `settings.json` of a recorded run. */
interface RecordedSettings {
  readonly queuesAvailable: number;
  readonly upstream_bandwidth_capacity_download_mbps: number;
  readonly upstream_bandwidth_capacity_upload_mbps: number;
  readonly interface_a: string;
  readonly interface_b: string;
  readonly on_a_stick: boolean;
  readonly default_sqm: string;
  readonly monitor_only: boolean;
  readonly use_binpacking: boolean;
  readonly generated_pn_download_mbps: number;
  readonly generated_pn_upload_mbps: number;
  readonly dry_run: boolean;
}

function settingsOf(recorded: RecordedSettings): LibreqosSettings {
  return {
    queuesAvailable: recorded.queuesAvailable,
    link: { lan: recorded.interface_a, internet: recorded.interface_b, onAStick: recorded.on_a_stick },
    capacity: {
      download: recorded.upstream_bandwidth_capacity_download_mbps,
      upload: recorded.upstream_bandwidth_capacity_upload_mbps,
    },
    generated: { download: recorded.generated_pn_download_mbps, upload: recorded.generated_pn_upload_mbps },
    defaultSqm: recorded.default_sqm,
    monitorOnly: recorded.monitor_only,
    useBinpacking: recorded.use_binpacking,
    dryRun: recorded.dry_run,
  };
}

/** The settings of a recorded run. */
export const goldenSettings = (name: string): LibreqosSettings =>
  settingsOf(JSON.parse(goldenText(name, "settings.json")!) as RecordedSettings);

/** The two files, from their texts. */
export const libreqosFiles = (network: string, devices: string): LibreqosFiles => ({
  network: { text: network, file: "network.json" },
  devices: { text: devices, file: "ShapedDevices.csv" },
});

/** Does again what was recorded. */
export function rebuild(name: string): LibreqosResult {
  const files = libreqosFiles(goldenText(name, "network.json") ?? "", goldenText(name, "ShapedDevices.csv") ?? "");
  return buildLibreqos(files, goldenSettings(name));
}

/** What a run says, as recorded: warnings and the exception. */
export const spoken = ({ messages }: LibreqosResult): string[] =>
  messages.filter(({ kind }) => kind !== "output").map((message) => messageLine(message));

/** What a run writes to stdout that is about the files. */
export const printed = ({ messages }: LibreqosResult): string[] =>
  messages.flatMap(({ kind, text }) => (kind === "output" ? text : []));

/** Plain settings: two interfaces, four queues, 1 Gbit/s. */
export const SETTINGS: LibreqosSettings = {
  queuesAvailable: 4,
  link: { lan: "eth1", internet: "eth0", onAStick: false },
  capacity: { download: 1000, upload: 1000 },
  generated: { download: 1000, upload: 1000 },
  defaultSqm: "cake diffserv4",
  monitorOnly: false,
  useBinpacking: false,
  dryRun: false,
};

/** The header that LibreQoS does not read. */
export const HEADER =
  "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min Mbps,Upload Min Mbps,Download Max Mbps,Upload Max Mbps,Comment";

/** A row of the device list. Rates are minimum and maximum, download before upload. */
export interface RowSketch {
  readonly id: string;
  readonly parent?: string;
  readonly rates?: readonly [number | string, number | string, number | string, number | string];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly device?: string;
  readonly comment?: string;
}

const quoted = (cell: string | number): string => `"${String(cell).replaceAll('"', '""')}"`;

/** A device list of these rows. */
export function deviceList(rows: readonly RowSketch[]): string {
  const lines = rows.map((row, index) => {
    const device = row.device ?? `D${index + 1}`;
    const [downloadMin, uploadMin, downloadMax, uploadMax] = row.rates ?? [1, 1, 100, 20];
    const cells = [row.id, `Circuit ${row.id}`, device, `Device ${device}`, row.parent ?? "", ""];
    const rest = [row.ipv4 ?? "", row.ipv6 ?? "", downloadMin, uploadMin, downloadMax, uploadMax, row.comment ?? ""];
    return [...cells, ...rest].map((cell) => quoted(cell)).join(",");
  });
  return `${[HEADER, ...lines].join("\n")}\n`;
}

/** A node of `network.json`. */
export const node = (download: number, upload: number, more: object = {}): object => ({
  downloadBandwidthMbps: download,
  uploadBandwidthMbps: upload,
  ...more,
});

/** Runs a made-up case. */
export const runLibreqos = (
  network: object | string,
  rows: readonly RowSketch[],
  settings: Partial<LibreqosSettings> = {},
): LibreqosResult =>
  buildLibreqos(libreqosFiles(typeof network === "string" ? network : JSON.stringify(network), deviceList(rows)), {
    ...SETTINGS,
    ...settings,
  });

/** Runs a made-up case that LibreQoS takes. */
export function builtLibreqos(...[network, rows, settings]: Parameters<typeof runLibreqos>): LibreqosBuilt {
  const { built, problems } = runLibreqos(network, rows, settings);
  if (!built) throw new Error(`LibreQoS does not take the case: ${problems[0]?.message}`);
  return built;
}

/** The lines about classes and leaves of the tree on one device, without their heads. */
export function treeLines(built: LibreqosBuilt, dev = built.settings.link.lan): string[] {
  return built.commands
    .filter((command) => command.dev === dev && / classid 0x[0-9a-f]+ |parent 0x[0-9a-f]+:0x/.test(command.line))
    .map(({ line }) => line.replace(`add dev ${dev} `, ""));
}
