/** Values of `[shaper]`: rates and leaves. */
import type { FqCodel, Cake, Qdisc } from "../../core/tc/qdisc.ts";
import { parseQdisc } from "../../core/tc/parse.ts";
import { rateIn } from "../../core/config-rate.ts";
import { type ReadValue, Refusal, shown } from "../../core/config-values.ts";
import { type BitsPerSecond, bitsPerSecond } from "../../core/units.ts";
import type { LeafChoice } from "../model.ts";

const SLOWEST = 10_000;
const FASTEST = 1e12;

/** A rate in tc's words, or a number of Mbit/s. */
export const rate: ReadValue<BitsPerSecond> = rateIn("mbit", SLOWEST, FASTEST);

/** A rate, or `"off"` for 0. */
export const rateOrOff: ReadValue<BitsPerSecond> = (value) => {
  if (value === "off") return bitsPerSecond(0);
  const parsed = rate(value);
  return parsed instanceof Refusal ? new Refusal(`${parsed.reason}; or "off"`) : parsed;
};

const isLeaf = (qdisc: Qdisc): qdisc is Cake | FqCodel => qdisc.kind === "cake" || qdisc.kind === "fq_codel";

/** `auto`, `none`, `fifo`, or cake or fq_codel with options as tc takes them. */
export const leaf: ReadValue<LeafChoice> = (value) => {
  const wanted = 'wanted "auto", "none", "fifo", or cake or fq_codel with tc\'s options, such as "cake diffserv4 nat"';
  if (typeof value !== "string") return new Refusal(`it is ${shown(value)}, ${wanted}`);
  const word = value.trim();
  if (word === "auto" || word === "none" || word === "fifo") return { kind: word };
  if (!/^(?:cake|fq_codel)\b/.test(word)) return new Refusal(`it is ${shown(value)}, ${wanted}`);
  const qdisc = parseQdisc(word);
  if ("problem" in qdisc) return new Refusal(`it is ${shown(value)}, ${qdisc.problem}`);
  if (!isLeaf(qdisc)) return new Refusal(`it is ${shown(value)}, ${wanted}`);
  // HTB does the shaping; a cake that shapes too would hold every circuit to one rate whatever its plan.
  if (qdisc.kind === "cake" && qdisc.bandwidth) {
    return new Refusal(`it is ${shown(value)}, whose bandwidth would hold every circuit to one rate; leave it out`);
  }
  return qdisc;
};
