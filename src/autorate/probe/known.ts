/** What is known of one reflector of a link, and how an answer of it is judged. */
import { both, type Both } from "../../core/both.ts";
import type { IcmpReply, ProbeKind } from "../../linux/icmp/codec.ts";
import { encodeSockaddr } from "../../linux/icmp/sockaddr.ts";
import { type BaselineState, halved, type Measured, parted, step } from "../baseline.ts";
import type { Judged, ProbeMode } from "../model.ts";
import type { Reflector } from "../reflectors/reflector.ts";
import { delayOf } from "./delay.ts";
import type { Fault } from "./fault.ts";
import type { Probe } from "./flight.ts";
import { hear, kindOf, type LadderState, modesFor, passTime, startLadder, wakeLadder } from "./ladder.ts";
import type { Moment } from "./wall.ts";

/** How one reflector stands, for status. Times in s of the clock that never steps, delays in ms. */
export interface ReflectorState {
  readonly address: string;
  readonly family: 4 | 6;
  readonly description: string;
  /** One of those that count; others are known from searches, or were replaced. */
  readonly asked: boolean;
  /** Undefined: not known yet. */
  readonly mode?: ProbeMode;
  /** Why the mode is not the first of the configuration, or why it cannot be asked. */
  readonly reason?: string;
  readonly lastAnswer?: number;
  readonly baseline?: { readonly owd: Both<number>; readonly rtt: number };
  /** Smoothed delay over the baseline. */
  readonly delta?: Both<number>;
  /** Share of the last probes that were lost, 0 to 1. */
  readonly loss: number;
  /** Times it did not answer within a second, of the last 60. */
  readonly offences: number;
  readonly sent: number;
  readonly answered: number;
  /** Answers that were refused, and stamps that were unfit, by reason. */
  readonly refused: Readonly<Record<string, number>>;
}

/** Probes over which loss is reckoned. */
const LOSS_WINDOW = 64;
/** Of the mean by which health goes (cake-autorate). */
const LATE_ALPHA = 0.095;
/** A reflector that gives our own stamp back so often in a row does not look at its clock. */
const COPIES = 20;

/** The same round trip where directions are not told apart. */
const halves = ({ download, upload }: Both<number>): Both<number> => both(() => (download + upload) / 2);

/** What an answer made of it. */
export interface Heard {
  /** ms */
  readonly rtt: number;
  /** None while the mode is not known, when the mode wants another kind, and when the stamps are unfit. */
  readonly judged?: Judged;
  /** Other reflectors are wanted. */
  readonly reselect: boolean;
  /** It is asked in another mode from now on. */
  readonly moved: boolean;
}

/** One reflector. */
export class Known {
  readonly reflector: Reflector;
  readonly to: Buffer;
  readonly #modes: readonly ProbeMode[];
  readonly refused: Record<string, number> = {};
  readonly #outcomes: boolean[] = [];
  ladder: LadderState;
  baseline: BaselineState | undefined;
  /** Asked since, s. */
  since: number;
  /** When it last answered in any way, s. */
  lastAnswer: number | undefined;
  /** Mean of its round trips over their baseline, ms. */
  late: number | undefined;
  /** Why nothing could be sent to it. */
  blocked: string | undefined;
  sent = 0;
  answered = 0;
  #copies = 0;
  /** The mode that the baseline is of. */
  #basis: ProbeMode | undefined;

  /** @param modes of the configuration @param now s */
  constructor(reflector: Reflector, modes: readonly ProbeMode[], now: number) {
    this.reflector = reflector;
    this.to = encodeSockaddr(reflector.address);
    this.#modes = modesFor(modes, reflector.family);
    this.ladder = startLadder(this.#modes, now);
    this.since = now;
  }

  /** The modes that there are for it. */
  get modes(): readonly ProbeMode[] {
    return this.#modes;
  }

  /** Counts what was refused. */
  refuse(reason: string): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }

  /** Notes what became of probes. */
  note(lost: boolean, count = 1): void {
    for (let i = 0; i < count; i += 1) this.#outcomes.push(lost);
    this.#outcomes.splice(0, this.#outcomes.length - LOSS_WINDOW);
  }

  /** Share of the last probes that were lost. */
  get loss(): number {
    return this.#outcomes.length === 0 ? 0 : this.#outcomes.filter(Boolean).length / this.#outcomes.length;
  }

  /** Climbs or falls by the time that passed. @returns whether its mode is another now */
  passTime(now: number): boolean {
    return this.#move(passTime(this.ladder, this.#modes, now));
  }

  /** After a pause: its silence was ours. */
  wake(now: number): void {
    this.since = now;
    this.ladder = wakeLadder(this.ladder, now);
  }

  /**
   * Takes an answer in.
   *
   * @param queued what others see of queues, ms, in case it is new; undefined when there are none that know
   */
  hear(probe: Probe, received: Moment, reply: IcmpReply, queued: Both<number> | undefined): Heard {
    const now = received.monotonic / 1000;
    const { rtt, owd, fault, copied } = delayOf(probe.sent, received, reply);
    if (reply.kind === "timestamp") this.#copies = copied ? this.#copies + 1 : 0;
    const found = fault ?? (this.#copies >= COPIES ? "copied" : undefined);
    this.answered += 1;
    this.note(false);
    let moved = this.#take(reply.kind, now, found);
    const { mode, trial } = this.ladder;
    // One that answers, but in no way that may be used, is as good as silent.
    if (mode ?? trial) this.lastAnswer = now;
    const delays = mode === "timestamp" ? (found ? undefined : owd) : { download: rtt / 2, upload: rtt / 2 };
    if (!mode || !delays || kindOf(mode) !== reply.kind) return { rtt, reselect: false, moved };
    const measured = { received: now, owd: delays, rtt };
    const others = queued && (mode === "timestamp" ? queued : halves(queued));
    const taken = step(this.#baselineFor(mode, measured), measured, { kind: "real", queued: others });
    this.baseline = taken.state;
    const over = rtt - taken.state.rtt.base;
    this.late = this.late === undefined ? over : this.late + LATE_ALPHA * (over - this.late);
    if (taken.clockStep !== undefined) moved = this.#take(reply.kind, now, "clock") || moved;
    const times = { reflector: probe.address, sent: probe.sent.monotonic / 1000, received: now };
    return { rtt, judged: { ...times, mode, owd: delays, rtt, delta: taken.delta }, reselect: taken.reselect, moved };
  }

  #take(kind: ProbeKind, now: number, fault: Fault | undefined): boolean {
    if (fault) this.refuse(fault);
    return this.#move(hear(this.ladder, this.#modes, kind, now, fault));
  }

  #move(next: LadderState): boolean {
    const moved = this.ladder.mode !== next.mode;
    this.ladder = next;
    return moved;
  }

  /** What is known of it in a mode, carried over from the mode it was in. */
  #baselineFor(mode: ProbeMode, measured: Measured): BaselineState | undefined {
    const before = this.#basis;
    this.#basis = mode;
    if (!this.baseline || !before || before === mode) return this.baseline;
    // Echoes and timestamps may take different times within the reflector.
    if (kindOf(before) !== kindOf(mode)) return undefined;
    return mode === "timestamp" ? parted(this.baseline, measured) : halved(this.baseline);
  }
}
