/** Exceptions of Python, where LibreQoS ends with one: kept as what they are called and say, for those who know them. */
import type { Location } from "../../../core/errors.ts";

/** What went wrong in our own words, beside Python's. */
export interface Explanation {
  /** What is wrong, as half a sentence. */
  readonly reason: string;
  /** What to do about it, in the imperative. */
  readonly remedy: string;
  readonly where?: Location;
}

/** An uncaught exception: LibreQoS ends here, and nothing that it had planned is done. */
export class PythonError extends Error {
  override readonly name = "PythonError";
  /** `ValueError`, `KeyError`, ... */
  readonly exception: string;
  readonly explanation: Explanation;

  /** @param text what Python says after the exception's name */
  constructor(exception: string, text: string, explanation: Explanation) {
    super(text);
    this.exception = exception;
    this.explanation = explanation;
  }
}
