/** What one can ask of a tc object, and which of its options each request states. */
import { type Qdisc, type SeenQdisc, withDefaults } from "./qdisc.ts";

/** What `tc` calls its commands: `replace` makes the object or changes the one that is there. */
export type Verb = "add" | "change" | "replace" | "del";

/**
 * The qdisc with the options that a request of this verb states. A new object gets the kernel's defaults anyway; one
 * that may exist already keeps what a request leaves out, so every option is stated, defaults included. What cannot be
 * changed is left out of a change, because the kernel refuses the whole request otherwise.
 */
export function stated<Q extends SeenQdisc>(verb: Verb, qdisc: Q): Q {
  if (verb === "add" || verb === "del") return qdisc;
  const whole: SeenQdisc = withDefaults(qdisc);
  if (whole.kind !== "fq_codel") return whole as Q;
  const { flows: _, ...changeable } = whole;
  const flows = (qdisc as Extract<Qdisc, { kind: "fq_codel" }>).flows;
  return (verb === "replace" && flows !== undefined ? { ...changeable, flows } : changeable) as Q;
}
