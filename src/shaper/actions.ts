/** The shaper's actions: a closed union, how each is described, and what takes it back. */
import type { ActionVocabulary, Sign } from "../core/action.ts";
import type { ClassAt, HtbClass } from "../core/tc/class.ts";
import type { Qdisc, QdiscAt, SeenQdisc } from "../core/tc/qdisc.ts";
import { classCommand, qdiscCommand } from "../core/tc/text.ts";
import type { ClassifierConfig, HostEntry } from "./model.ts";

/** Everything the shaper does to a kernel. Changes and removals carry what was there, so that they can be undone. */
export type ShaperAction =
  | { readonly kind: "qdisc.add"; readonly dev: string; readonly at: QdiscAt }
  | { readonly kind: "qdisc.change"; readonly dev: string; readonly at: QdiscAt; readonly before: Qdisc }
  | { readonly kind: "qdisc.delete"; readonly dev: string; readonly at: QdiscAt<SeenQdisc> }
  | { readonly kind: "class.add"; readonly dev: string; readonly at: ClassAt }
  | { readonly kind: "class.change"; readonly dev: string; readonly at: ClassAt; readonly before: HtbClass }
  | { readonly kind: "class.delete"; readonly dev: string; readonly at: ClassAt }
  /** Attaches the classifier (and clsact, when the device has none) or replaces the one that is there, atomically. */
  | { readonly kind: "classifier.attach"; readonly dev: string; readonly config: ClassifierConfig; readonly before?: ClassifierConfig }
  | { readonly kind: "classifier.detach"; readonly dev: string; readonly before: ClassifierConfig }
  /** Adds or overwrites rows of the host table that is in use. */
  | { readonly kind: "hosts.set"; readonly entries: readonly HostEntry[]; readonly before: readonly HostEntry[] }
  | { readonly kind: "hosts.delete"; readonly entries: readonly HostEntry[] }
  /** Fills a new table and puts it in the place of the one in use, in one step. */
  | { readonly kind: "hosts.swap"; readonly entries: readonly HostEntry[]; readonly before?: readonly HostEntry[] };
