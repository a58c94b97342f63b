/** An invented ISP in the shape of the largest recorded run of LibreQoS, at any size: its two files. */
import type { LibreqosFiles } from "../../src/shaper/libreqos/build.ts";
import type { LibreqosSettings } from "../../src/shaper/libreqos/settings.ts";

/** Circuits per top-level site, of which there are four for 1,000. */
const PER_SITE = 250;
const APS = 5;
/** One circuit in so many has no parent, one a second device, one an IPv6 network. */
const [ORPHANS, TWINS, V6] = [32, 20, 3];
const PLANS = [
  [100, 20],
  [250, 50],
  [50, 10],
  [10, 2],
  [500, 100],
  [25.5, 5.5],
] as const;
const HEADER =
  "Circuit ID,Circuit Name,Device ID,Device Name,Parent Node,MAC,IPv4,IPv6,Download Min Mbps,Upload Min Mbps,Download Max Mbps,Upload Max Mbps,Comment";

/** Settings of that run: two interfaces, 16 queues, 10 Gbit/s. */
export const SETTINGS: LibreqosSettings = {
  queuesAvailable: 16,
  link: { lan: "eth1", internet: "eth0", onAStick: false },
  capacity: { download: 10_000, upload: 10_000 },
  generated: { download: 10_000, upload: 10_000 },
  defaultSqm: "cake diffserv4",
  monitorOnly: false,
  useBinpacking: false,
  dryRun: false,
};

function networkText(sites: number): string {
  const ap = (index: number): object => ({
    downloadBandwidthMbps: [500, 800, 250, 150][index % 4],
    uploadBandwidthMbps: [50, 100, 200][index % 3],
    type: "AP",
  });
  const site = (name: string): object => ({
    downloadBandwidthMbps: 1000,
    uploadBandwidthMbps: 500,
    type: "Site",
    children: Object.fromEntries(Array.from({ length: APS }, (_, index) => [`${name}_AP${index + 1}`, ap(index)])),
  });
  const names = Array.from({ length: sites }, (_, index) => `Site${index + 1}`);
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, site(name)])), undefined, 1);
}

function rowsOf(index: number, sites: number): string[] {
  const number = String(index + 1).padStart(6, "0");
  const parent = index % ORPHANS === 0 ? "" : `Site${(index % sites) + 1}_AP${(index % APS) + 1}`;
  const [down, up] = PLANS[index % PLANS.length]!;
  const host = `${64 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  const v6 = index % V6 === 0 ? `2001:db8:${index.toString(16)}::/64` : "";
  const row = (twin: string, first: number, network: string): string =>
    `CID${number},Circuit CID${number},DID${number}${twin},Device DID${number}${twin},${parent},,${first}.${host},${network},1,1,${down},${up},`;
  // LibreQoS ends at fractional rates in circuits of two devices.
  const twins = index % TWINS === 0 && Number.isInteger(down);
  return [row("", 100, v6), ...(twins ? [row("b", 101, "")] : [])];
}

/** The two files for so many circuits. */
export function ispFiles(circuits: number): LibreqosFiles {
  const sites = Math.max(1, Math.round(circuits / PER_SITE));
  const rows = Array.from({ length: circuits }, (_, index) => rowsOf(index, sites)).flat();
  return {
    network: { text: networkText(sites), file: "network.json" },
    devices: { text: `${[HEADER, ...rows].join("\n")}\n`, file: "ShapedDevices.csv" },
  };
}
