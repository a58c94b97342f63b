/** Values of `[shaper]`: rates and leaves. */
import type { FqCodel, Cake, Qdisc } from "../../core/tc/qdisc.ts";
import { parseQdisc } from "../../core/tc/parse.ts";
import { type BitsPerSecond, bitsPerSecond, humanRate, megabits, parseRate } from "../../core/units.ts";
import { type ReadValue, Refusal, shown } from "../../core/config-values.ts";
import type { LeafChoice } from "../model.ts";

const SLOWEST = 10_000;
const FASTEST = 1e12;
const RATE_EXAMPLE = 'wanted a rate such as "500mbit" or "1gbit", or a number of Mbit/s';

function rateText(value: string): BitsPerSecond | Refusal {
  const bare = /^\s*([\d.]+)\s*$/.exec(value)?.[1];
  if (bare !== undefined) {
    return new Refusal(`it is ${shown(value)}, a text without unit; write "${bare}mbit" or the number ${bare}`);
  }
  const bytes = /^\s*([\d.]+)\s*([kmgt])bps\s*$/i.exec(value);
  if (bytes) {
    const [, number, prefix] = bytes;
    return new Refusal(
      `it is ${shown(value)}, which tc reads as bytes per second; write "${number}${prefix!.toLowerCase()}bit" for bits`,
    );
  }
  return parseRate(value) ?? new Refusal(`it is ${shown(value)}, ${RATE_EXAMPLE}`);
}

/**
 * A rate in tc's words, or a number of Mbit/s. Bare numbers in quotes (bit/s for tc) and `mbps` (bytes for tc) are
 * refused: whoever writes them means something else.
 */
export const rate: ReadValue<BitsPerSecond> = (value) => {
  const parsed = typeof value === "number" ? megabits(value) : typeof value === "string" ? rateText(value) : undefined;
  if (parsed instanceof Refusal) return parsed;
  if (parsed === undefined || Number.isNaN(parsed)) return new Refusal(`it is ${shown(value)}, ${RATE_EXAMPLE}`);
  const rounded = Math.round(parsed);
  if (rounded >= SLOWEST && rounded <= FASTEST) return bitsPerSecond(rounded);
  const range = `${humanRate(SLOWEST)} to ${humanRate(FASTEST)}`;
  return new Refusal(
    `it is ${shown(value)}, wanted a rate from ${range}${typeof value === "number" ? " (a number counts Mbit/s)" : ""}`,
  );
};

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
