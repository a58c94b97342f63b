/** Where the nodes of a planned tree stand in the kernel, by their names. Pure. */
import { both } from "../core/both.ts";
import type { Handle } from "../core/tc/handle.ts";
import { type Allocation, keyOf } from "./allocation.ts";
import { ClassTree } from "./class-tree.ts";
import { classidOf, sidesOf } from "./desired.ts";
import type { Both, Desired, DesiredDevice, Facts, ShaperConfig } from "./model.ts";

/** Where a node stands in one direction. */
export interface SitePlace {
  readonly device: string;
  readonly classid: Handle;
}

/** All of them. */
export interface Sites {
  /** By name; LibreQoS's rules allow several nodes of one name. */
  readonly places: ReadonlyMap<string, readonly Both<SitePlace>[]>;
  /** As it is planned, without live rates. */
  readonly trees: ReadonlyMap<string, ClassTree>;
  /** In observe mode nothing is limited, and live rates mean nothing. */
  readonly mode: ShaperConfig["mode"];
}

/** The planned devices as trees. */
export function treesOf(
  desired: Desired,
  places: Sites["places"],
  facts: Pick<Facts, "devices">,
): ReadonlyMap<string, ClassTree> {
  const nodes = [...places.values()].flat().flatMap(({ download, upload }) => [download, upload]);
  const byDevice = Map.groupBy(nodes, ({ device }) => device);
  const tree = ({ name, classes }: DesiredDevice): ClassTree => {
    const here = new Set((byDevice.get(name) ?? []).map(({ classid }) => classid));
    return new ClassTree(classes, here, facts.devices.get(name)?.mtu ?? 1500);
  };
  return new Map(desired.devices.map((device) => [device.name, tree(device)]));
}

/** The nodes of sluice's own dialect. */
export function sitesOf(
  config: ShaperConfig,
  facts: Pick<Facts, "devices">,
  { desired, allocation }: { readonly desired: Desired; readonly allocation: Allocation },
): Sites {
  const { sides } = sidesOf(config, facts);
  const prefix = keyOf.node("");
  const nodes = [...allocation].filter(([key]) => key.startsWith(prefix));
  const found = nodes.map(([key, slot]) => {
    const place = both((d): SitePlace => {
      const side = sides.find(({ direction }) => direction === d)!;
      return { device: side.device, classid: classidOf(side, slot) };
    });
    return [key.slice(prefix.length), [place]] as const;
  });
  const places = new Map(found);
  return { places, trees: treesOf(desired, places, facts), mode: config.mode };
}
