/** What LibreQoS says while it runs, word for word, each with the problem it is for us. */
import type { Code } from "../../core/codes.ts";
import { type Problem, problem } from "../../core/errors.ts";
import { type Explanation, PythonError } from "./python/error.ts";

/** A warning, the exception that ends a run, or a line on stdout that belongs to a warning. */
export interface Message {
  readonly kind: "warning" | "exception" | "output";
  readonly text: string;
}

const HEADS: Readonly<Record<Message["kind"], string>> = {
  warning: "UserWarning: ",
  exception: "EXCEPTION: ",
  output: "",
};

/** A message as recorded runs have it. */
export const messageLine = ({ kind, text }: Message): string => HEADS[kind] + text;

/** Collects what LibreQoS says, and what that means. */
export class Report {
  readonly messages: Message[] = [];
  readonly problems: Problem[] = [];

  /** Something LibreQoS says that is no problem of the files. */
  note(text: string, kind: Message["kind"] = "warning"): void {
    this.messages.push({ kind, text });
  }

  #add(kind: Message["kind"], code: Code, text: string, { reason, remedy, where }: Explanation): void {
    this.messages.push({ kind, text });
    this.problems.push(problem(code, { reason, remedy, text }, where));
  }

  /** LibreQoS warns and goes on. */
  warn(text: string, explanation: Explanation): void {
    this.#add("warning", "LIBREQOS_WARNING", text, explanation);
  }

  /** LibreQoS warns, and will not use the files. */
  refuse(text: string, explanation: Explanation): void {
    this.#add("warning", "LIBREQOS_REFUSED", text, explanation);
  }

  /** LibreQoS ends. */
  crash(error: PythonError): void {
    this.#add("exception", "LIBREQOS_CRASH", `${error.exception}: ${error.message}`, error.explanation);
  }
}

/** Runs a part of LibreQoS; undefined when it ends with an exception, which is then reported. */
export function attempt<T>(report: Report, body: () => T): T | undefined {
  try {
    return body();
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    report.crash(error);
    return undefined;
  }
}

/** Said first of all. */
export const DRY_RUN =
  "enableActualShellCommands is set to False. None of the commands below will actually be executed. Simulated run.";
/** Said when nothing is limited. */
export const MONITOR_ONLY = "monitorOnlyMode is set to True. Shaping will not occur.";
/** Said after a refusal, when queues of an earlier run are there. */
export const VALIDATION_FAILED =
  "Validation failed. Because this is not the first run since boot (queues already set up) - will now exit.";
/** Said at the end, with the devices on stdout. */
export const NOT_SHAPED =
  "Some devices were not shaped. Please check to ensure they have a valid ParentNode listed in ShapedDevices.csv:";
