/** LibreQoS's settings from a `sluice.toml`, for those who change over one step at a time. */
import { formatQdisc } from "../../core/tc/text.ts";
import { both } from "../../core/both.ts";
import type { LeafChoice, Link, ShaperConfig } from "../model.ts";
import type { LibreqosLink, LibreqosOptions } from "./settings.ts";

/** What LibreQoS ships with, and what `auto` comes to where CAKE is there. */
const USUAL_SQM = "cake diffserv4";

const linkOf = (link: Link): LibreqosLink =>
  link.kind === "bridge"
    ? { lan: link.lan, internet: link.internet, onAStick: false }
    : {
        lan: link.interface,
        internet: link.interface,
        onAStick: true,
        vlans: { lan: link.lanVlan, internet: link.internetVlan },
      };

/** The leaf in tc's words; undefined for those that LibreQoS does not have. */
function sqmOf(leaf: LeafChoice): string | undefined {
  if (leaf.kind === "auto") return USUAL_SQM;
  return leaf.kind === "cake" || leaf.kind === "fq_codel" ? formatQdisc(leaf) : undefined;
}

/**
 * The settings. Other than from an `lqos.conf`, each direction has its own capacity, and generated nodes have the line's.
 *
 * @returns undefined for a leaf of `none` or `fifo`, which LibreQoS cannot have for all
 */
export function optionsFromConfig(config: ShaperConfig): LibreqosOptions | undefined {
  const defaultSqm = sqmOf(config.leaf);
  if (defaultSqm === undefined) return undefined;
  const capacity = both((d) => config.rate[d] / 1e6);
  return {
    link: linkOf(config.link),
    capacity,
    generated: capacity,
    defaultSqm,
    monitorOnly: config.mode === "observe",
    useBinpacking: false,
    dryRun: false,
  };
}
