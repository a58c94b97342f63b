/** The `sluice.toml` that stands for an `lqos.conf`, with a comment wherever it is not plainly the same. */
import { formatRate, megabits } from "../../../core/units.ts";
import { Refusal } from "../../../core/config-values.ts";
import { leaf as readLeaf } from "../../sources/config-values.ts";
import type { LqosConf } from "../lqos-conf.ts";

/** What the text is made of. */
export interface TomlInput {
  readonly conf: LqosConf;
  /** Name of the `lqos.conf`. */
  readonly from: string;
  /** Absolute paths of the two files. */
  readonly network: string;
  readonly devices: string;
  /** Whether minimums have to be scaled for the files to be taken. */
  readonly scale: boolean;
}

/** Why `queues.default_sqm` cannot be `shaper.leaf`; undefined when it can. */
export function leafFault(conf: LqosConf): string | undefined {
  const leaf = readLeaf(conf.options.defaultSqm);
  return leaf instanceof Refusal ? leaf.reason : undefined;
}

/** Texts in TOML are those of JSON. */
const quoted = (text: string): string => JSON.stringify(text);
const rate = (mbps: number): string => quoted(formatRate(megabits(mbps)));

function linkLines({ options: { link } }: LqosConf): string[] {
  if (!link.onAStick) {
    return [
      "# bridge.to_network and bridge.to_internet",
      `lan = ${quoted(link.lan)}`,
      `internet = ${quoted(link.internet)}`,
    ];
  }
  return [
    "# [single_interface]",
    `interface = ${quoted(link.lan)}`,
    `lan_vlan = ${link.vlans?.lan ?? 0}`,
    `internet_vlan = ${link.vlans?.internet ?? 0}`,
  ];
}

function rateLines({ downlink, options: { capacity } }: LqosConf): string[] {
  const differ = downlink !== capacity.upload;
  const note = `, which LibreQoS did not use: it took the uplink's ${capacity.upload} Mbit/s for both directions`;
  return [
    `# queues.downlink_bandwidth_mbps${differ ? note : ""}`,
    `download = ${rate(downlink)}`,
    "# queues.uplink_bandwidth_mbps",
    `upload = ${rate(capacity.upload)}`,
  ];
}

function leafLines(conf: LqosConf): string[] {
  const fault = leafFault(conf);
  if (fault === undefined) return ["# queues.default_sqm", `leaf = ${quoted(conf.options.defaultSqm)}`];
  return [`# queues.default_sqm cannot be kept: ${fault}`, 'leaf = "auto"'];
}

/** Writes it. */
export function writeToml({ conf, from, network, devices, scale }: TomlInput): string {
  const { monitorOnly } = conf.options;
  const blocks = [
    [
      `# Made from ${from} by "sluice migrate libreqos". "sluice check" looks it through, and changes nothing.`,
      "[shaper]",
    ],
    ["# The files of LibreQoS, as they are.", `network = ${quoted(network)}`, `devices = ${quoted(devices)}`],
    linkLines(conf),
    rateLines(conf),
    leafLines(conf),
    monitorOnly ? ["# queues.monitor_only: everything is counted, nothing is limited", 'mode = "observe"'] : [],
    scale ? ['# Minimums add up to more than there is; with "strict" they are refused', 'minimums = "scale"'] : [],
    conf.override > 0 ? ["# queues.override_available_queues", `queues = ${conf.override}`] : [],
    ["# LibreQoS's own tree, byte for byte, instead of sluice's (docs/libreqos.md):", '# dialect = "libreqos"'],
  ];
  const texts = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return `${texts.join("\n\n")}\n`;
}
