/**
 * From a rate to what is changed, pure. A plan is one action or none, so its order says nothing.
 *
 * What does not follow from the rate stays as the kernel shows it: all options of a CAKE; the peak rate of a TBF; quantum,
 * priority and place of a class; overhead, mpu and link layer of both. What follows from it:
 *
 * - CAKE: nothing, it reckons all it needs by itself.
 * - TBF: its bucket and its limit keep their time. A limit that kept its bytes would let packets wait twice as long at half
 *   the rate, which is the very delay that is to be avoided, and so would a bucket, whose content passes at once into the
 *   queue behind. The kernel keeps what waits when the limit sinks below it.
 * - A class of an HTB: its ceiling is the rate; so is its own rate where that alone counts (on the HTB itself, where
 *   nobody lends) or was as high before, and otherwise it stays as far as the ceiling allows. Bursts as burst.ts says.
 */
import type { Plan } from "../../core/plan.ts";
import { burstOf, fullPacket } from "../../core/tc/burst.ts";
import type { ClassAt, HtbClass } from "../../core/tc/class.ts";
import { lengthOnWire, wireLength } from "../../core/tc/framing.ts";
import type { Tbf } from "../../core/tc/qdisc.ts";
import { type BitsPerSecond, bitsPerSecond, bytes, formatRate, wholeBytesRate } from "../../core/units.ts";
import type { TargetAction } from "./actions.ts";
import { isTop, sameShape, type Shape } from "./shape.ts";

/** Seconds of a rate that a bucket of TBF has to hold for the rate to be reached: a tick of a kernel of 250 Hz. */
const LEAST_BUCKET = 0.004;
/** Packets that may wait at least, however slow: with fewer a flow hardly gets on. */
const LEAST_WAITING = 2;
/** What 32 bits hold. */
const LARGEST = 2 ** 32 - 1;

/** What a plan is made from. */
export interface RateInput {
  readonly dev: string;
  /** Bytes. */
  readonly mtu: number;
  /** What the kernel shows now. */
  readonly now: Shape;
  /** What it showed before anybody drove it: times and guarantees come from there, so that no rounding adds up. */
  readonly found: Shape;
}

const size = (wanted: number): number => Math.min(Math.ceil(wanted), LARGEST);

function tbfAt(now: Tbf, found: Tbf, rate: BitsPerSecond, mtu: number): Tbf {
  const packet = fullPacket(mtu);
  const scale = rate / found.rate;
  const bucket = size(Math.max(found.burst * scale, (rate / 8) * LEAST_BUCKET, packet));
  // Of a bucket in cells the kernel shows whole ones.
  const burst = bytes(lengthOnWire(wireLength(bucket, now.framing), now.framing));
  const limit = size(Math.max(found.limit * scale, Math.min(found.limit, LEAST_WAITING * packet)));
  return { ...now, rate, burst, limit: bytes(limit) };
}

function classAt(now: ClassAt, found: HtbClass, rate: BitsPerSecond, mtu: number): ClassAt {
  const follows = isTop(now) || found.rate >= found.ceil;
  const own = follows ? rate : bitsPerSecond(Math.min(found.rate, rate));
  const bursts = { burst: burstOf(own, mtu), cburst: burstOf(rate, mtu) };
  return { ...now, htb: { ...now.htb, rate: own, ceil: rate, ...bursts } };
}

/** The shape at a rate. */
function shapeAt({ now, found, mtu }: RateInput, rate: BitsPerSecond): Shape {
  if (now.kind === "class") {
    return { kind: "class", at: classAt(now.at, found.kind === "class" ? found.at.htb : now.at.htb, rate, mtu) };
  }
  const { qdisc } = now.at;
  if (qdisc.kind === "cake") return { kind: "qdisc", at: { ...now.at, qdisc: { ...qdisc, bandwidth: rate } } };
  const before = found.kind === "qdisc" && found.at.qdisc.kind === "tbf" ? found.at.qdisc : qdisc;
  return { kind: "qdisc", at: { ...now.at, qdisc: tbfAt(qdisc, before, rate, mtu) } };
}

function actionFor(dev: string, { at: was }: Shape, wish: Shape): TargetAction {
  if (wish.kind === "class") {
    return { kind: "class.change", dev, at: wish.at, before: (was as ClassAt).htb };
  }
  const { qdisc } = wish.at;
  const old = (was as typeof wish.at).qdisc;
  const rateAlone = (q: typeof qdisc) =>
    q.kind === "cake" ? { kind: q.kind, bandwidth: q.bandwidth ?? bitsPerSecond(0) } : q;
  return { kind: "qdisc.change", dev, at: { ...wish.at, qdisc: rateAlone(qdisc) }, before: rateAlone(old) };
}

/** Why it cannot be set to a rate, whatever the kernel says; undefined when it can. */
export function refusal({ kind, at }: Shape, rate: BitsPerSecond): string | undefined {
  // Of a CAKE, 0 would mean that there is no limit.
  if (!Number.isFinite(rate) || rate < 8) return "the least rate of all is 8 bit/s";
  if (kind === "class") return undefined;
  const { qdisc } = at;
  if (qdisc.kind === "cake" && qdisc.autorateIngress)
    return "it sets its rate by itself (autorate-ingress); state a bandwidth with tc qdisc change to end that";
  if (qdisc.kind === "tbf" && qdisc.peakrate !== undefined && rate >= qdisc.peakrate)
    return `its peakrate of ${formatRate(qdisc.peakrate)} has to be higher; raise it or leave it out`;
  return undefined;
}

/** The plan, with the shape that it leads to. Something that is set so already has an empty one. */
export function planRate(input: RateInput, rate: BitsPerSecond): Plan<TargetAction> & { readonly wish: Shape } {
  const wish = shapeAt(input, wholeBytesRate(rate));
  const actions = sameShape(wish, input.now) ? [] : [actionFor(input.dev, input.now, wish)];
  return { actions, warnings: [], wish };
}
