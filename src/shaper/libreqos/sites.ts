/** Where the nodes of LibreQoS's tree stand in the kernel, by their names. Pure. */
import { both } from "../../core/both.ts";
import { handle } from "../../core/tc/handle.ts";
import type { Both, Desired, Facts, ShaperConfig } from "../model.ts";
import { type SitePlace, type Sites, treesOf } from "../sites.ts";
import type { LibreqosBuilt } from "./build.ts";
import type { PlacedNode } from "./ids.ts";
import { layoutQueues } from "./settings.ts";

/** All nodes, those that LibreQoS adds among them. */
export function libreqosSites(
  { placement, settings }: LibreqosBuilt,
  desired: Desired,
  config: ShaperConfig,
  facts: Pick<Facts, "devices">,
): Sites {
  const { stickOffset } = layoutQueues(settings);
  const { link } = settings;
  const placeOf = ({ queue, minor }: PlacedNode): Both<SitePlace> =>
    both((d) =>
      d === "download"
        ? { device: link.lan, classid: handle(queue, minor) }
        : { device: link.internet, classid: handle(queue + stickOffset, minor) },
    );
  const placesIn = (nodes: readonly PlacedNode[]): (readonly [string, Both<SitePlace>])[] =>
    nodes.flatMap((node) => [[node.name, placeOf(node)] as const, ...placesIn(node.children ?? [])]);
  const byName = Map.groupBy(placesIn(placement.nodes), ([name]) => name);
  const places = new Map([...byName].map(([name, found]) => [name, found.map(([, place]) => place)]));
  return { places, trees: treesOf(desired, places, facts), mode: config.mode };
}
