/** `/etc/lqos.conf`: the part of it that reaches the tree. */
import { type Location, type Problem, problem, sortProblems } from "../../core/errors.ts";
import { keyPositions } from "../../core/toml-lines.ts";
import { asTable, parseToml } from "../../core/toml.ts";
import { conflateCapacity, type LibreqosLink, type LibreqosOptions } from "./settings.ts";

/** What the file says. */
export interface LqosConf {
  /** As LibreQoS uses it: both capacities are the uplink's. */
  readonly options: LibreqosOptions;
  /** Which the file gives for download, and LibreQoS never looks at, Mbit/s. */
  readonly downlink: number;
  /** `queues.override_available_queues`; 0 is none. */
  readonly override: number;
  /** Where the two data files are. */
  readonly directory: string;
  /** Whether `network.insight.json` and `ShapedDevices.insight.csv` come first where they are there. */
  readonly insight: boolean;
  /** `integration_common.queue_refresh_interval_mins`: how often LibreQoS looks whether the files changed. */
  readonly refreshMinutes: number;
}

/** What {@link parseLqosConf} found. */
export interface LqosConfResult {
  /** Absent when any problem is an error. */
  readonly conf?: LqosConf;
  readonly problems: readonly Problem[];
}

const VERSION = "1.5";

/** How a value is called when another one stands there. */
const shown = (value: unknown): string =>
  typeof value === "object" && value !== null ? "a table or array" : JSON.stringify(value);

class ConfReader {
  readonly problems: Problem[] = [];
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #at: (path: string) => Location;

  constructor(values: Readonly<Record<string, unknown>>, at: (path: string) => Location) {
    this.#values = values;
    this.#at = at;
  }

  refuse(path: string, reason: string): undefined {
    this.problems.push(problem("LIBREQOS_CONF", { path, reason }, this.#at(path)));
  }

  value(path: string): unknown {
    return path.split(".").reduce((value: unknown, key) => asTable(value)?.[key], this.#values);
  }

  #read<T>(path: string, fallback: T | undefined, wanted: string, read: (value: unknown) => T | undefined): T {
    const value = this.value(path);
    // The fallback of a value that is refused is never used: the problem is an error.
    const instead = fallback as T;
    if (value === undefined) {
      if (fallback === undefined) this.refuse(path, `it is missing, wanted ${wanted}`);
      return instead;
    }
    const result = read(value);
    if (result === undefined) this.refuse(path, `it is ${shown(value)}, wanted ${wanted}`);
    return result ?? instead;
  }

  /** A text. @param fallback for one that is missing; without it that is a problem */
  text(path: string, fallback?: string): string {
    return this.#read(path, fallback, "a text", (value) =>
      typeof value === "string" && value !== "" ? value : undefined,
    );
  }

  /** A whole number from 0. */
  whole(path: string, fallback?: number): number {
    return this.#read(path, fallback, "a whole number from 0", (value) =>
      typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined,
    );
  }

  flag(path: string, fallback = false): boolean {
    return this.#read(path, fallback, "true or false", (value) => (typeof value === "boolean" ? value : undefined));
  }
}

function readLink(reader: ConfReader): LibreqosLink {
  const bridge = reader.value("bridge") !== undefined;
  const stick = reader.value("single_interface") !== undefined;
  if (bridge && stick) reader.refuse("single_interface", "[bridge] is there too, and only one of them can be");
  if (!bridge && !stick) reader.refuse("bridge", "neither [bridge] nor [single_interface] is there");
  if (bridge || !stick) {
    if (!bridge) return { lan: "", internet: "", onAStick: false };
    return { lan: reader.text("bridge.to_network"), internet: reader.text("bridge.to_internet"), onAStick: false };
  }
  const device = reader.text("single_interface.interface");
  const vlans = {
    lan: reader.whole("single_interface.network_vlan"),
    internet: reader.whole("single_interface.internet_vlan"),
  };
  return { lan: device, internet: device, onAStick: true, vlans };
}

/** Observing by either name: `queue_mode` came later and goes first. */
function readMonitorOnly(reader: ConfReader): boolean {
  const mode = reader.text("queues.queue_mode", "");
  if (mode === "") return reader.flag("queues.monitor_only");
  if (mode !== "shape" && mode !== "observe")
    reader.refuse("queues.queue_mode", `it is "${mode}", wanted "shape" or "observe"`);
  return mode === "observe";
}

function readConf(reader: ConfReader): LqosConf {
  const version = reader.text("version");
  if (version !== VERSION && version !== undefined) {
    reader.refuse("version", `it is "${version}", and only files of version "${VERSION}" are known`);
  }
  const capacity = {
    download: reader.whole("queues.downlink_bandwidth_mbps"),
    upload: reader.whole("queues.uplink_bandwidth_mbps"),
  };
  return {
    options: {
      link: readLink(reader),
      capacity: conflateCapacity(capacity),
      generated: {
        download: reader.whole("queues.generated_pn_download_mbps"),
        upload: reader.whole("queues.generated_pn_upload_mbps"),
      },
      defaultSqm: reader.text("queues.default_sqm"),
      monitorOnly: readMonitorOnly(reader),
      useBinpacking: reader.flag("queues.use_binpacking"),
      dryRun: reader.flag("queues.dry_run"),
    },
    downlink: capacity.download,
    override: reader.whole("queues.override_available_queues", 0),
    directory: reader.text("lqos_directory"),
    insight: reader.flag("long_term_stats.enable_insight_topology"),
    refreshMinutes: reader.whole("integration_common.queue_refresh_interval_mins", 30),
  };
}

/** Reads the text of an `lqos.conf`, with every problem at once. Keys that do not reach the tree are not looked at. */
export function parseLqosConf(text: string, file: string): LqosConfResult {
  const parsed = parseToml(text, file);
  if ("problem" in parsed) return { problems: [parsed.problem] };
  const positions = keyPositions(text);
  const at = (path: string): Location => ({
    file,
    ...(positions.get(path) ?? positions.get(path.split(".")[0]!) ?? { line: 1, column: 1 }),
  });
  const reader = new ConfReader(parsed.values, at);
  const conf = readConf(reader);
  const problems = sortProblems(reader.problems, [file]);
  return { ...(problems.length === 0 && { conf }), problems };
}
