/** Autorate's actions: a closed union, how each is described, and what takes it back. */
import type { ActionVocabulary } from "../../core/action.ts";
import type { ClassAt, HtbClass } from "../../core/tc/class.ts";
import type { Cake, QdiscAt, Tbf } from "../../core/tc/qdisc.ts";
import { classCommand, qdiscCommand } from "../../core/tc/text.ts";

/** The rate of a CAKE, which is changed alone: whatever else it is set to stays. */
export type CakeRate = Required<Pick<Cake, "kind" | "bandwidth">>;

/** Everything autorate does to a kernel: it changes rates, and makes or removes nothing. `before` is what was there. */
export type TargetAction =
  | {
      readonly kind: "qdisc.change";
      readonly dev: string;
      readonly at: QdiscAt<CakeRate | Tbf>;
      readonly before: CakeRate | Tbf;
    }
  | { readonly kind: "class.change"; readonly dev: string; readonly at: ClassAt; readonly before: HtbClass };

/** The line of `tc` that does the same, without `tc`. */
export const tcLine = (action: TargetAction): string =>
  action.kind === "class.change"
    ? classCommand("change", action.dev, action.at)
    : qdiscCommand("change", action.dev, action.at, true);

function inverse(action: TargetAction): TargetAction {
  if (action.kind === "class.change") {
    return { ...action, at: { ...action.at, htb: action.before }, before: action.at.htb };
  }
  return { ...action, at: { ...action.at, qdisc: action.before }, before: action.at.qdisc };
}

/** How they are described and undone. */
export const TARGET_ACTIONS: ActionVocabulary<TargetAction> = {
  describe: tcLine,
  sign: () => "~",
  inverse: (action) => [inverse(action)],
};
