/** Why a script's thread gave no answer. */

/**
 * - `refused`: it does not start, for a reason of the user's that is in {@link ScriptFault.detail}
 * - `deadline`: there was no answer in time
 * - `died`: it ended by itself
 * - `away`: it ended before, and is not there again yet
 * - `busy`: it is at another request
 * - `closed`: it was ended by who started it
 */
export type FaultKind = "refused" | "deadline" | "died" | "away" | "busy" | "closed";

/** No answer, and why. */
export class ScriptFault extends Error {
  override readonly name = "ScriptFault";
  readonly kind: FaultKind;
  /** What a start was refused with. */
  readonly detail: unknown;

  constructor(kind: FaultKind, message: string, detail?: unknown) {
    super(message);
    this.kind = kind;
    this.detail = detail;
  }
}
