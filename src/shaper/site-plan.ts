/**
 * From a node's live rate to the changes of a few classes, pure, without a plan of the whole tree: that takes a second with
 * 10,000 circuits. The node stands first, for it is what is to hold; then, parents before children, whose guarantees
 * change with it.
 */
import type { Plan } from "../core/plan.ts";
import { type HtbClass, sameClass } from "../core/tc/class.ts";
import type { BitsPerSecond } from "../core/units.ts";
import type { ShaperAction } from "./actions.ts";
import { liveClasses } from "./live-classes.ts";
import { type LiveRate, liveOn, withRate } from "./live-rates.ts";
import type { SitePlace, Sites } from "./sites.ts";

/** What a plan is made from. */
export interface SiteInput {
  readonly sites: Sites;
  readonly site: Pick<LiveRate, "name" | "direction">;
  readonly place: SitePlace;
  /** The live rates that the tree in the kernel has. */
  readonly rates: readonly LiveRate[];
  /** What the kernel shows of the node's class. */
  readonly seen: HtbClass;
}

/**
 * Plans a live rate, or with undefined the way back to the planned one.
 *
 * @returns the plan, and the node's class as it shall be
 */
export function planSite(
  { sites, site, place, rates, seen }: SiteInput,
  rate: BitsPerSecond | undefined,
): Plan<ShaperAction> & { readonly wish: HtbClass } {
  const { device, classid } = place;
  const tree = sites.trees.get(device)!;
  const overlay = (of: readonly LiveRate[]) => liveClasses(tree, liveOn(device, sites, of), classid);
  const [was, will] = [overlay(rates), overlay(withRate(rates, site, rate))];
  const actions = [...new Set([classid, ...will.keys(), ...was.keys()])].flatMap((id): ShaperAction[] => {
    const at = tree.get(id)!;
    const before = id === classid ? seen : (was.get(id) ?? at.htb);
    const htb = will.get(id) ?? at.htb;
    const inner = tree.childrenOf(id).length > 0;
    return sameClass(htb, before, inner) ? [] : [{ kind: "class.change", dev: device, at: { ...at, htb }, before }];
  });
  return { actions, warnings: [], wish: will.get(classid) ?? tree.get(classid)!.htb };
}
