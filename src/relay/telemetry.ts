/** What the inputs of the relay have done, in the lines that MCR's workers log, for whoever reads those already. Pure. */
import { REASONS, type Reason, type RuleInput } from "./model.ts";
import type { RuleView } from "./relay.ts";
import type { Speed } from "./totals.ts";

/** What the workers of an input have to tell besides what rules did. */
export interface TelemetryInput {
  readonly device: string;
  readonly passedOver: Readonly<Record<Reason, number>>;
  /** Dropped by the kernel, for there was no room. */
  readonly ringDrops: number;
}

interface Flow extends Speed {
  readonly input: RuleInput;
  readonly packets: number;
  readonly bytes: number;
}

/** What an input has done, in MCR's terms, by both planes. */
export interface InputTotals {
  readonly device: string;
  /** Packets that came in: those of the next four together. */
  readonly received: number;
  readonly matched: number;
  readonly notMatched: number;
  /** Packets that were not right. */
  readonly filtered: number;
  /** Given up for want of room, by the kernel, or by the worker in favour of higher classes; or a worker died before it came to them. */
  readonly exhausted: number;
  /** Copies. */
  readonly sent: number;
  /** Of their payloads. */
  readonly bytes: number;
  /** Copies that could not be sent. */
  readonly errors: number;
  /** Of each rule. */
  readonly flows: readonly Flow[];
}

/** When lines are made, ms. */
export interface TelemetryTimes {
  /** Since the relay began. */
  readonly since: number;
  /** Since the lines before. */
  readonly elapsed: number;
}

const sum = <T>(all: readonly T[], of: (each: T) => number): number => all.reduce((so, each) => so + of(each), 0);

const FILTERS = REASONS.filter((reason) => reason !== "noRule" && reason !== "unread");

function totalsOf(device: string, views: readonly RuleView[], inputs: readonly TelemetryInput[]): InputTotals {
  const taken = views.map(({ counts, resolved }) => counts(resolved.slot));
  const copies = views.flatMap(({ counts, resolved }) => resolved.outputs.map(({ slot }) => counts(slot)));
  const shed = sum(taken, (rule) => rule.shed);
  // MCR does not call matched what it had no room for.
  const matched = sum(taken, ({ packets }) => packets) - shed;
  const notMatched = sum(inputs, ({ passedOver }) => passedOver.noRule);
  const filtered = sum(inputs, ({ passedOver }) => sum(FILTERS, (reason) => passedOver[reason]));
  const exhausted = shed + sum(inputs, ({ ringDrops, passedOver }) => ringDrops + passedOver.unread);
  return {
    device,
    received: matched + notMatched + filtered + exhausted,
    matched,
    notMatched,
    filtered,
    exhausted,
    sent: sum(copies, ({ packets }) => packets),
    bytes: sum(copies, ({ bytes }) => bytes),
    errors: sum(copies, ({ sendErrors, tooLarge }) => sendErrors + tooLarge),
    flows: views.map(({ resolved: { rule }, speed }, index) => ({ ...taken[index]!, ...speed, input: rule.input })),
  };
}

/** The totals of each interface that rules take from, in the order of the rules. */
export function inputTotals(views: readonly RuleView[], inputs: readonly TelemetryInput[]): InputTotals[] {
  const byDevice = Map.groupBy(views, ({ resolved }) => resolved.rule.input.interface);
  return [...byDevice].map(([device, own]) =>
    totalsOf(
      device,
      own,
      inputs.filter((input) => input.device === device),
    ),
  );
}

function flowLine({ input, packets, bytes, packetsPerSecond, bitsPerSecond }: Flow): string {
  const group = input.group.includes(":") ? `[${input.group}]` : input.group;
  const [pps, bps] = [Math.round(packetsPerSecond), Math.round(bitsPerSecond)];
  return `[FLOW_STATS] ${group}:${input.port} packets=${packets} bytes=${bytes} pps=${pps} bps=${bps}`;
}

/**
 * The lines of an interval: those that MCR has now, and those by direction that it had at first. Rates of directions are of
 * the interval, those of flows what `relay stats` shows.
 *
 * @param before the totals of the lines before, if there were any
 */
export function intervalLines(now: InputTotals, before: InputTotals | undefined, times: TelemetryTimes): string[] {
  const { received, matched, notMatched, filtered, exhausted, sent, bytes, errors, flows } = now;
  const rate = (of: "received" | "sent"): number =>
    // A rule that was removed takes with it what it had counted.
    Math.max(0, Math.round((1000 * (now[of] - (before?.[of] ?? 0))) / Math.max(1, times.elapsed)));
  return [
    `[STATS] t_ms=${Math.round(times.since)} rx=${received} tx=${sent} matched=${matched} not_matched=${notMatched} ` +
      `rx_err=${filtered} tx_err=${errors} buf_exhaust=${exhausted} pipe_err=0`,
    `[STATS:Ingress] recv=${received} matched=${matched} parse_err=${filtered} no_match=${notMatched} ` +
      `buf_exhaust=${exhausted} (${rate("received")} pps)`,
    `[STATS:Egress] sent=${sent} submitted=${sent + errors} errors=${errors} bytes=${bytes} (${rate("sent")} pps)`,
    ...flows.map((flow) => flowLine(flow)),
  ];
}

/** The lines at the end. Whatever was handed to the egress was submitted by it. */
export function finalLines(totals: InputTotals): string[] {
  const { received, matched, notMatched, filtered, exhausted, sent, bytes, errors } = totals;
  const submitted = sent + errors;
  return [
    `[STATS:Ingress FINAL] total: recv=${received} matched=${matched} egr_sent=${submitted} filtered=${filtered} ` +
      `no_match=${notMatched} buf_exhaust=${exhausted}`,
    `[STATS:Egress FINAL] total: sent=${sent} submitted=${submitted} ch_recv=${submitted} errors=${errors} bytes=${bytes}`,
  ];
}
