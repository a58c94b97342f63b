/** What a command may use of the outside: its two streams, and nothing of the process. */
import type { CommandContext } from "@stricli/core";
import type { Clock } from "../core/clock.ts";

/** A stream with what a terminal would tell of itself. */
export interface Output {
  write(text: string): void;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** Handed to every command as `this`. */
export interface CliContext extends CommandContext {
  readonly process: {
    readonly stdout: Output;
    readonly stderr: Output;
    exitCode?: number | string | null | undefined;
  };
  /** Aborted when the user interrupts. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Writes an answer to stdout, a newline at its end. */
export function answer(context: CliContext, text: string): void {
  context.process.stdout.write(`${text}\n`);
}

/** An answer of the API, or one that is made like it. */
interface Answer {
  readonly schema: string;
  readonly [field: string]: unknown;
}

/** Writes an answer as JSON: it names its schema and version, and fields are only ever added. */
export function answerJson(context: CliContext, output: Answer): void {
  answer(context, JSON.stringify(output, undefined, 2));
}

/** Writes a note for people to stderr. */
export function note(context: CliContext, text: string): void {
  context.process.stderr.write(`${text}\n`);
}
