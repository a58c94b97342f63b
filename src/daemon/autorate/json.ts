/** Links and their ticks as the API shows them: bit/s and milliseconds. Pure. */
import type { AutorateLinkJson, AutorateTickJson } from "../../api/schemas/autorate.ts";
import type { LinkConfig } from "../../autorate/config.ts";
import { deltaStatistic } from "../../autorate/controllers/ewma.ts";
import type { Verdict } from "../../autorate/model.ts";
import type { OpenLink } from "../../autorate/open.ts";
import type { ReflectorState } from "../../autorate/probe/known.ts";
import type { TickRecord } from "../../autorate/record/tick.ts";
import type { Direction } from "../../core/both.ts";

/** Of kbit/s; whole numbers, null of what is none. */
const bits = (kbits: number | undefined): number | null =>
  kbits === undefined || !Number.isFinite(kbits) ? null : Math.round(kbits * 1000);
const known = (value: number | undefined): number | null =>
  value === undefined || !Number.isFinite(value) ? null : value;

const verdictJson = ({ rate, branch, blocked, capacity }: Verdict): AutorateTickJson["download"]["decision"] => ({
  rateBitsPerSecond: bits(rate) ?? 0,
  branch,
  blocked: blocked ?? null,
  capacityBitsPerSecond: bits(capacity),
});

function sideJson({ input, decision, rates, written }: TickRecord, direction: Direction): AutorateTickJson["download"] {
  const side = input?.directions[direction];
  return {
    rateBitsPerSecond: bits(rates[direction]) ?? 0,
    achievedBitsPerSecond: bits(side?.achieved),
    load: known(side?.load),
    deltaMs: known(side && deltaStatistic(side.deltas)),
    thresholdMs: known(side?.threshold),
    decision: decision ? verdictJson(decision[direction]) : null,
    written: written.includes(direction),
  };
}

/** A tick. */
export const tickJson = (record: TickRecord): AutorateTickJson => ({
  time: new Date(record.wall).toISOString(),
  state: record.state,
  download: sideJson(record, "download"),
  upload: sideJson(record, "upload"),
  notes: [...record.notes],
});

/** A link that may not have been started. */
export interface LinkState {
  readonly config: LinkConfig;
  readonly open: OpenLink | undefined;
  /** Why it is not. */
  readonly reason: string | undefined;
  readonly last: TickRecord | undefined;
  readonly ticks: number;
}

function directionJson({ config, open }: LinkState, direction: Direction): AutorateLinkJson["download"] {
  const given = config.directions[direction];
  if (!given) return null;
  const { bounds, adjust, target } = given;
  const aim = open?.aims[direction];
  const named = target.kind === "site" ? `site "${target.name}"` : `${target.kind} of ${target.device}`;
  return {
    target: aim?.target.label ?? named,
    adjust,
    minBitsPerSecond: bits(bounds.min) ?? 0,
    baseBitsPerSecond: bits(bounds.base) ?? 0,
    maxBitsPerSecond: bits(bounds.max),
    writes: { ...(aim?.writes ?? { done: 0, failed: 0 }) },
  };
}

const reflectorJson = (state: ReflectorState, now: number): AutorateLinkJson["reflectors"][number] => ({
  address: state.address,
  asked: state.asked,
  mode: state.mode ?? null,
  reason: state.reason ?? null,
  ageMs: state.lastAnswer === undefined ? null : Math.max(0, now - state.lastAnswer) * 1000,
  baselineMs: {
    download: known(state.baseline?.owd.download),
    upload: known(state.baseline?.owd.upload),
    rtt: known(state.baseline?.rtt),
  },
  deltaMs: { download: known(state.delta?.download), upload: known(state.delta?.upload) },
  loss: known(state.loss),
  offences: state.offences,
});

/** A link. @param now of the clock that links go by, s */
export function linkJson(state: LinkState, now: number): AutorateLinkJson {
  const { config, open, reason, last, ticks } = state;
  const usable = open?.usable();
  return {
    name: config.name,
    controller: config.controller,
    highLoad: config.highLoad,
    activeBitsPerSecond: bits(config.activeRate) ?? 0,
    running: open !== undefined,
    reason: reason ?? null,
    last: last ? tickJson(last) : null,
    download: directionJson(state, "download"),
    upload: directionJson(state, "upload"),
    reflectors: open?.reflectors().map((reflector) => reflectorJson(reflector, now)) ?? [],
    usable: { count: usable?.count ?? 0, reason: usable?.reason ?? null },
    plugins: (open?.plugins() ?? []).map(({ reason: why, ...plugin }) => ({ ...plugin, reason: why ?? null })),
    ticks,
  };
}
