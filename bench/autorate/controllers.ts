/** Who sets the router's shapers. */
import { type Both, DIRECTIONS } from "../../src/core/both.ts";
import { type Bed, BED } from "./bed.ts";
import { Daemon } from "./daemon.ts";
import { NOMINAL } from "./scenarios.ts";

/** `none`: no shaper. `fixed`: one that nobody changes. The others are controllers of sluiced. */
export const CONTROLLERS = ["none", "fixed", "ewma", "cake", "sluice"] as const;
/** One of {@link CONTROLLERS}. */
export type ControllerName = (typeof CONTROLLERS)[number];

/** The least rate that a controller may set, kbit/s. */
export const MINIMUM: Both<number> = { download: 4000, upload: 1000 };
/** More than the line ever carries: a controller that trusts in it makes a queue. */
const MAXIMUM: Both<number> = { download: 2 * NOMINAL.download, upload: 2 * NOMINAL.upload };
/** A shaper that is never changed, set as guides advise: 90 % of what the line is said to carry. */
const FIXED: Both<number> = { download: 0.9 * NOMINAL.download, upload: 0.9 * NOMINAL.upload };

const REFLECTORS = "reflectors.csv";

/** The file of these reflectors. */
export const listOf = (addresses: readonly string[]): string =>
  ["reflector_ip,ip_version,description", ...addresses.map((address) => `${address},4,bed`), ""].join("\n");

/** One link of a configuration. */
export interface Link {
  readonly controller: string;
  readonly link: string;
  readonly targets: Both<string>;
  /** Name of the file with its reflectors. */
  readonly reflectors: string;
  /** Without traffic for so long it sends no probes, s; 0: it always does. */
  readonly sleep: number;
}

/** Name of the file in which a link of a bed notes all that it decides. */
const TRACE = "trace.jsonl";

/** A link as `sluice.toml` states it. */
export function linkConfig({ controller, link, targets, reflectors, sleep }: Link): string {
  const lines = DIRECTIONS.flatMap((direction) => [
    `${direction}_target = "${targets[direction]}"`,
    `${direction}_base = "${NOMINAL[direction]}kbit"`,
    `${direction}_min = "${MINIMUM[direction]}kbit"`,
    `${direction}_max = "${MAXIMUM[direction]}kbit"`,
  ]);
  const head = [`[autorate.links.${link}]`, `controller = "${controller}"`, `reflector_file = "${reflectors}"`];
  return [...head, `idle_sleep_s = ${sleep}`, ...lines, ""].join("\n");
}

/**
 * Sets up the router's shapers, and the daemon that drives them when it is one of its controllers.
 *
 * @param trace whether the daemon notes all that it decides, see {@link traceOf}
 */
export async function control(bed: Bed, name: ControllerName, trace: boolean): Promise<Daemon | undefined> {
  if (name === "none") return undefined;
  bed.shape(name === "fixed" ? FIXED : NOMINAL);
  if (name === "fixed") return undefined;
  const link = { controller: name, link: "wan", targets: BED.targets, reflectors: REFLECTORS, sleep: 0 };
  const config = linkConfig(link) + (trace ? `trace_file = "${TRACE}"\n` : "");
  return Daemon.start(bed.rtr, { "sluice.toml": config, [REFLECTORS]: listOf(BED.reflectors) });
}

/** What the daemon of a bed has noted so far: lines of JSON. */
export const traceOf = (daemon: Daemon): string => daemon.read(TRACE);
