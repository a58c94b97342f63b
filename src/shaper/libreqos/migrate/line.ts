/** Findings about the line and the machine, from the configuration and the tops of both trees. */
import { humanRate, megabits } from "../../../core/units.ts";
import { DIRECTIONS, type ShaperConfig } from "../../model.ts";
import type { Tree } from "../../tree.ts";
import type { LibreqosBuilt } from "../build.ts";
import type { PlacedNode } from "../ids.ts";
import type { LqosConf } from "../lqos-conf.ts";
import { defaultClassRate } from "../rates.ts";
import { about, counted, type Finding, type FindingItem } from "./finding.ts";
import { leafFault } from "./toml.ts";

const different = (id: Finding["id"], title: string, why: string): Finding => ({
  id,
  kind: "different",
  title,
  why,
  items: [],
});

/** What the configuration alone tells. */
export function confFindings(conf: LqosConf, config: ShaperConfig): Finding[] {
  const { capacity, defaultSqm, useBinpacking } = conf.options;
  const fault = leafFault(conf);
  const unknown = humanRate(megabits(defaultClassRate(capacity.download)));
  return [
    ...(conf.downlink === capacity.upload
      ? []
      : [
          different(
            "capacity",
            `Download is planned with ${conf.downlink} Mbit/s instead of ${capacity.upload}`,
            "LibreQoS takes uplink_bandwidth_mbps for both directions and never reads the other",
          ),
        ]),
    ...(fault === undefined
      ? []
      : [different("leaf", `default_sqm = "${defaultSqm}" cannot be kept, so leaf is "auto"`, fault)]),
    different(
      "queues",
      `Every top-level node gets the queue with the least load, and stays there${useBinpacking ? "; use_binpacking has no counterpart" : ""}`,
      "LibreQoS deals nodes out in turn, or packs them anew with every reload; sluice apply --rebalance does so when it is wished",
    ),
    different(
      "ids",
      "All class ids are other ones, and from then on a circuit keeps its own for life",
      "LibreQoS numbers classes in the order of the tree, so that ids move with every change; anything that looks at ids has to be pointed at sluice shaper circuit get",
    ),
    different(
      "bursts",
      "Bursts are 10 ms of a rate instead of 1600 bytes",
      "With less, a tenth and more of 20 to 50 Mbit/s is lost to timers",
    ),
    different(
      "unknown-hosts",
      `Unknown hosts are guaranteed ${humanRate(config.rate.download / 100)} of download instead of ${unknown} on every queue`,
      "LibreQoS keeps a quarter of the line for them; sluice one hundredth, and as much as is free (unknown_download caps it)",
    ),
  ];
}

/** Whether anybody hangs on a node or below it; the nodes for orphans are there without. */
const isUsed = ({ circuits, children = [] }: PlacedNode): boolean =>
  circuits.length > 0 || children.some((child) => isUsed(child));

/** Where the line is not held by LibreQoS. */
function linkItems({ placement }: LibreqosBuilt, config: ShaperConfig): FindingItem[] {
  const top = placement.nodes.filter((node) => isUsed(node));
  return DIRECTIONS.flatMap((d) => {
    const sum = top.reduce((total, { max }) => total + max[d] * 1e6, 0);
    if (sum <= config.rate[d]) return [];
    const text = `the top-level nodes may send ${humanRate(sum)} together, the line ${humanRate(config.rate[d])}`;
    return { subject: d, text };
  });
}

function orphanItems({ circuits, settings }: LibreqosBuilt, tree: Tree): FindingItem[] {
  const orphans = new Set(tree.orphans.map(({ circuit }) => circuit.id));
  return circuits.flatMap(({ id, max, where }) => {
    if (!orphans.has(id)) return [];
    const capped = DIRECTIONS.filter((d) => max[d] > settings.generated[d]);
    const text =
      capped.length > 0 ? `no longer capped by generated_pn for ${capped.join(" and ")}` : "on the link itself";
    return { subject: `circuit "${id}"`, text, where };
  });
}

/** What the tops of both trees tell. */
export function topFindings(built: LibreqosBuilt, tree: Tree, config: ShaperConfig): Finding[] {
  return [
    ...about(
      "link",
      linkItems(built, config),
      () => "The line's rate holds for all that hangs on it",
      "LibreQoS hangs nodes beside the class that has the line's rate, not below it; sluice hangs them below, per queue (queues = 1 holds it exactly)",
    ),
    ...about(
      "orphans",
      orphanItems(built, tree),
      (count) => `${counted(count, "circuit")} without a parent will hang on the link itself`,
      "LibreQoS makes a node Generated_PN per queue for them, with a rate of its own",
    ),
  ];
}
