/** What autorate drives: one shaper of one direction, whatever it is made of. The shaper offers its sites as such too. */
import type { BitsPerSecond, Bytes } from "./units.ts";

/** What a target shows now. */
export interface RateObservation {
  /** What it is set to; undefined: unlimited. */
  readonly rate: BitsPerSecond | undefined;
  /** Sent through it since it was made. Starts again when it is made anew, so it may go backwards. */
  readonly sent: Bytes;
  /** Waiting in it. */
  readonly backlog: Bytes;
}

/** Something with a rate that can be read and set. */
export interface RateTarget extends Disposable {
  /** For people: `cake on ifb4wan`, `site "Tower 1" (class 1:2a of eth1)`. */
  readonly label: string;
  /** Reads it. Undefined when it is not there now; it is looked for anew at each call. @throws SystemError, RtnlError */
  observe(): RateObservation | undefined;
  /** Why it was not there when it was last looked for, as half a sentence; undefined when it was. */
  readonly absence?: string | undefined;
  /**
   * Sets it by plan and executor, and reads it back. Nothing is done when it is set so already.
   *
   * @returns what it is set to afterwards: the kernel keeps whole bytes per second
   * @throws SluiceError AUTORATE_TARGET_MISSING, AUTORATE_TARGET_REFUSED with the kernel's reason
   */
  set(rate: BitsPerSecond): Promise<BitsPerSecond>;
  /** The lines of tc that {@link set} would come to now, without `tc`; none when it is set so. @throws what set throws */
  show?(rate: BitsPerSecond): readonly string[];
  /** Nobody drives it any more: gives back the rate that somebody else has planned for it, where there is such a plan. */
  release?(): Promise<void>;
}
