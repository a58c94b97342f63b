/** Where `[autorate]` and `[shaper]` meet: sites are nodes of the shaper's tree, and what it shapes is set by it alone. */
import type { AutorateConfig, LinkConfig } from "../../autorate/config.ts";
import { DIRECTIONS } from "../../core/both.ts";
import { type Location, type Problem, problem } from "../../core/errors.ts";
import { didYouMean } from "../../core/nearest.ts";
import type { Isp, NetworkNode, ShaperConfig } from "../../shaper/model.ts";

/** The shaper's side of it. */
export interface ShaperSide {
  readonly config: ShaperConfig;
  /** Absent where the tree's names are another program's affair. */
  readonly isp?: Isp;
}

const namesOf = (nodes: readonly NetworkNode[]): string[] =>
  nodes.flatMap(({ name, children }) => [name, ...namesOf(children)]);

/** Why a site cannot be one; undefined when it can. */
function siteFault(site: string, shaper: ShaperSide | undefined): string | undefined {
  if (!shaper) return `it is a node of the shaper's tree, and there is no [shaper]`;
  const names = shaper.isp && namesOf(shaper.isp.nodes);
  if (!names || names.includes(site)) return undefined;
  return `"${site}" is no node of ${shaper.config.network}${didYouMean(site, names)}`;
}

const interfacesOf = ({ link }: ShaperConfig): string[] =>
  link.kind === "bridge" ? [link.lan, link.internet] : [link.interface];

/** What is wrong with a link beside this shaper: keys of it, and why. */
function faultsOf(link: LinkConfig, shaper: ShaperSide | undefined): (readonly [key: string, reason: string])[] {
  const faults: (readonly [string, string])[] = [];
  for (const direction of DIRECTIONS) {
    const target = link.directions[direction]?.target;
    if (target?.kind === "site") {
      const fault = siteFault(target.name, shaper);
      // A site is both directions, and said once.
      if (fault !== undefined && direction === "download") faults.push(["site", fault]);
    } else if (target && shaper && interfacesOf(shaper.config).includes(target.device)) {
      const key = `${direction}_${target.kind === "auto" ? "interface" : "target"}`;
      faults.push([key, `[shaper] shapes "${target.device}" already; name one of its nodes as site instead`]);
    }
  }
  return faults;
}

/** Checks links against the shaper of the same configuration. */
export function checkSites(
  { links }: AutorateConfig,
  shaper: ShaperSide | undefined,
  at: (path: string) => Location,
): Problem[] {
  return links.flatMap((link) =>
    faultsOf(link, shaper).map(([key, reason]) => {
      const path = `autorate.links.${link.name}.${key}`;
      return problem("CONFIG_VALUE", { path, reason }, at(path));
    }),
  );
}
