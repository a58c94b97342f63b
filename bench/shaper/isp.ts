/** An invented ISP of any size: the two files, and what they come to. */
import { bitsPerSecond, megabits } from "../../src/core/units.ts";
import type { Isp, ShaperConfig } from "../../src/shaper/model.ts";
import { parseDevices } from "../../src/shaper/sources/devices.ts";
import { joinIsp } from "../../src/shaper/sources/isp.ts";
import { parseNetwork } from "../../src/shaper/sources/network.ts";

/** Sites of every ISP here, whatever its number of circuits. */
const SITES = 100;
/** What the circuits' plans are, in turns: Mbit/s. */
const PLANS = [
  [25, 5],
  [50, 10],
  [100, 20],
  [250, 50],
] as const;

/** The texts of `network.json` and `ShapedDevices.csv`. */
export interface IspTexts {
  readonly network: string;
  readonly devices: string;
}

const site = (index: number): string => `Site ${String(index + 1).padStart(3, "0")}`;

/**
 * Writes the files of an ISP: 100 sites on the link, the circuits spread evenly, one host each.
 *
 * @param faster so many circuits, spread evenly over all, have a plan of 1 Mbit/s more than they would have
 */
export function ispTexts(circuits: number, faster = 0): IspTexts {
  const node = { downloadBandwidthMbps: 1000, uploadBandwidthMbps: 1000, type: "Site" };
  const network = Object.fromEntries(Array.from({ length: SITES }, (_, index) => [site(index), node]));
  const every = faster > 0 ? Math.floor(circuits / faster) : Infinity;
  const rows = Array.from({ length: circuits }, (_, index) => {
    const [down, up] = PLANS[index % PLANS.length]!;
    const more = index % every === 0 && index / every < faster ? 1 : 0;
    const address = `100.${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
    return `C${index},Subscriber ${index},${site(index % SITES)},${address},1,1,${down + more},${up + more}`;
  });
  const header =
    "Circuit ID,Circuit Name,Parent Node,IPv4,Download Min Mbps,Upload Min Mbps,Download Max Mbps,Upload Max Mbps";
  return { network: JSON.stringify(network, undefined, 2), devices: `${[header, ...rows].join("\n")}\n` };
}

/** What the files come to. */
export function ispOf(texts: IspTexts): Isp {
  const files = { network: "network.json", devices: "ShapedDevices.csv" };
  const { isp, problems } = joinIsp(
    parseNetwork(texts.network, files.network),
    parseDevices(texts.devices, files.devices),
    files,
  );
  if (!isp) throw new Error(`The invented ISP has errors: ${problems[0]?.message}`);
  return isp;
}

/** A configuration over lan0 and wan0 with plain fifos as leaves, which every kernel has. */
export const CONFIG: ShaperConfig = {
  network: "network.json",
  devices: "ShapedDevices.csv",
  dialect: "sluice",
  link: { kind: "bridge", lan: "lan0", internet: "wan0" },
  rate: { download: megabits(100_000), upload: megabits(100_000) },
  mode: "shape",
  leaf: { kind: "fifo" },
  fastRate: bitsPerSecond(0),
  minimums: "strict",
};
