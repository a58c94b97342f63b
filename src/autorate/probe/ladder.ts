/**
 * How one reflector is asked: the first of the modes that works for it. Pure.
 *
 * While that is not known it is asked in every way, so that two seconds after the start each has its mode. One that answers
 * no timestamps goes on with echoes, one whose stamps are unfit gives its round trip only; both are tried again after ten
 * minutes, later each time. One that falls silent is asked in every way again.
 */
import type { ProbeMode } from "../model.ts";
import type { ProbeKind } from "../../linux/icmp/codec.ts";
import { type Fault, FAULT_LIMIT, FAULT_TEXT } from "./fault.ts";

/** What is known. */
export interface LadderState {
  /** Undefined: not known yet. */
  readonly mode?: ProbeMode;
  /** Why it is not the first of the modes, for people. */
  readonly reason?: string;
  /** Asked in every way. */
  readonly trial?: { readonly since: number; readonly until: number };
  /** Its one-way delays are not believed for now. */
  readonly distrusted: boolean;
  /** When its stamps were unfit in the last minute, s. */
  readonly faults: readonly { readonly fault: Fault; readonly at: number }[];
  /** When it last answered, by kind, s. */
  readonly heard: Readonly<Partial<Record<ProbeKind, number>>>;
  /** In this mode since, s. */
  readonly since: number;
  /** When the better way is tried again, s, and how often it was given up. */
  readonly retry: number;
  readonly falls: number;
}

/** s */
const TRIAL = 2;
const SILENT = 5;
const FAULT_WINDOW = 60;
const RETRY = 600;
const LONGEST_RETRY = 86_400;
/** So long in the first mode, and its falls are forgotten. */
const STEADY = 3600;

/** What a mode asks for. */
export const kindOf = (mode: ProbeMode): ProbeKind => (mode === "echo" ? "echo" : "timestamp");

/** The modes that there are for a reflector: ICMPv6 has echoes only. */
export const modesFor = (modes: readonly ProbeMode[], family: 4 | 6): readonly ProbeMode[] =>
  family === 4 ? modes : modes.filter((mode) => mode === "echo");

const kindsOf = (modes: readonly ProbeMode[]): readonly ProbeKind[] => [...new Set(modes.map((mode) => kindOf(mode)))];

/** The state at the start. */
export function startLadder(modes: readonly ProbeMode[], now: number): LadderState {
  const state: LadderState = { distrusted: false, faults: [], heard: {}, since: now, retry: Infinity, falls: 0 };
  if (modes.length === 0) return { ...state, reason: "it has no kind of answer that the configuration wants" };
  if (kindsOf(modes).length === 1) return { ...state, mode: modes[0]! };
  return { ...state, trial: { since: now, until: now + TRIAL } };
}

/** The kinds it is asked for now. */
export function kindsToAsk(state: LadderState, modes: readonly ProbeMode[]): readonly ProbeKind[] {
  if (state.trial) return kindsOf(modes);
  return state.mode ? [kindOf(state.mode)] : [];
}

/** The modes that may be used, the best first. */
const open = ({ distrusted }: LadderState, modes: readonly ProbeMode[]): readonly ProbeMode[] =>
  distrusted ? modes.filter((mode) => mode !== "timestamp") : modes;

/** Settles on a mode; `reason` says why it is not the first. */
function settle(state: LadderState, modes: readonly ProbeMode[], mode: ProbeMode, now: number): LadderState {
  const { trial: _trial, reason, ...rest } = state;
  if (mode === modes[0]) return { ...rest, mode, since: state.mode === mode ? state.since : now, retry: Infinity };
  const kept = reason ?? "it does not answer timestamps";
  return { ...rest, mode, since: state.mode === mode ? state.since : now, reason: kept };
}

/** Notes that a better mode does not work, and when it is tried again. */
function fallen(state: LadderState, modes: readonly ProbeMode[], reason: string, now: number): LadderState {
  const wasSteady = state.mode === modes[0] && now - state.since > STEADY;
  const falls = wasSteady ? 1 : state.falls + 1;
  return { ...state, reason, falls, retry: now + Math.min(RETRY * 2 ** (falls - 1), LONGEST_RETRY) };
}

function withFault(state: LadderState, modes: readonly ProbeMode[], fault: Fault, now: number): LadderState {
  const faults = [...state.faults.filter(({ at }) => at > now - FAULT_WINDOW), { fault, at: now }];
  const count = faults.filter((one) => one.fault === fault).length;
  if (state.distrusted || count < FAULT_LIMIT[fault]) return { ...state, faults };
  const { mode: _mode, trial: _trial, ...rest } = fallen({ ...state, faults: [] }, modes, FAULT_TEXT[fault], now);
  const next: LadderState = { ...rest, distrusted: true, since: now };
  const best = open(next, modes)[0];
  if (best === undefined) return next;
  if (kindOf(best) === "timestamp") return { ...next, mode: best };
  return { ...next, trial: { since: now, until: now + TRIAL } };
}

/** Takes an answer in. */
export function hear(
  state: LadderState,
  modes: readonly ProbeMode[],
  kind: ProbeKind,
  now: number,
  fault?: Fault,
): LadderState {
  const heard: LadderState = { ...state, heard: { ...state.heard, [kind]: now } };
  if (fault) return withFault(heard, modes, fault, now);
  const best = open(heard, modes)[0];
  // Whatever is heard of the best ends the trial; for the others it goes on to its end.
  return heard.trial && best !== undefined && kindOf(best) === kind ? settle(heard, modes, best, now) : heard;
}

function endTrial(state: LadderState, modes: readonly ProbeMode[], now: number): LadderState {
  const since = state.trial?.since ?? now;
  const answered = open(state, modes).find((mode) => (state.heard[kindOf(mode)] ?? -Infinity) >= since);
  if (answered === undefined) return { ...state, trial: { since: now, until: now + TRIAL } };
  const better = kindOf(answered) === "echo" && kindOf(modes[0]!) === "timestamp" && !state.distrusted;
  const noted = better ? fallen(state, modes, "it does not answer timestamps", now) : state;
  return settle(noted, modes, answered, now);
}

/** What time alone brings about; to be called now and then. */
export function passTime(state: LadderState, modes: readonly ProbeMode[], now: number): LadderState {
  if (state.trial) return now < state.trial.until ? state : endTrial(state, modes, now);
  if (now >= state.retry) {
    const { reason: _reason, ...rest } = state;
    const trusted: LadderState = { ...rest, distrusted: false, faults: [], retry: Infinity };
    // Its answers are there already when only its stamps were unfit.
    if (state.mode === "timestamp-rtt" && modes[0] === "timestamp")
      return { ...trusted, mode: "timestamp", since: now };
    return { ...trusted, trial: { since: now, until: now + TRIAL } };
  }
  if (!state.mode || kindsOf(modes).length === 1) return state;
  const last = Math.max(state.heard[kindOf(state.mode)] ?? -Infinity, state.since);
  return now - last > SILENT ? { ...state, trial: { since: now, until: now + TRIAL } } : state;
}

/** After a time in which nobody was asked: the silence was ours. */
export function wakeLadder(state: LadderState, now: number): LadderState {
  if (state.trial) return { ...state, trial: { since: now, until: now + TRIAL } };
  return { ...state, heard: state.mode ? { ...state.heard, [kindOf(state.mode)]: now } : state.heard };
}
