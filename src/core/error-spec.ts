/** What a row of the error registry is, and the usual kinds of rows. */
import { EXIT } from "./exit.ts";

/** One row of the registry. */
export interface ErrorSpec {
  /** Message template; `{name}` is replaced by the parameter of that name. */
  readonly message: string;
  /** What to do, in the imperative; the same parameters. */
  readonly remedy: string;
  /** HTTP status when the API answers with this error. */
  readonly status: number;
  /** Exit code of a command that ends with this error. */
  readonly exit: number;
  /** A warning never stops anything. Default `error`. */
  readonly severity?: "error" | "warning";
}

/** Bad input in a data file. */
export const data = (message: string, remedy: string): ErrorSpec => ({ message, remedy, status: 422, exit: EXIT.data });
/** A bad configuration. */
export const config = (message: string, remedy: string): ErrorSpec => ({
  message,
  remedy,
  status: 422,
  exit: EXIT.config,
});
/** Something that could not be done. */
export const failure = (message: string, remedy: string): ErrorSpec => ({
  message,
  remedy,
  status: 500,
  exit: EXIT.failure,
});
/** Something worth knowing. */
export const warning = (message: string, remedy: string): ErrorSpec => ({
  message,
  remedy,
  status: 200,
  exit: EXIT.ok,
  severity: "warning",
});
/** Something of somebody else's is in the way, or the state is another than was meant. */
export const conflict = (message: string, remedy: string): ErrorSpec => ({ ...failure(message, remedy), status: 409 });
/** What was sent is well formed, and the kernel does not take it. */
export const untakeable = (message: string, remedy: string): ErrorSpec => ({
  ...failure(message, remedy),
  status: 422,
});
