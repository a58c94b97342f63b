/** The `sluice` command. */
import { ExitCode, run, type StricliProcess } from "@stricli/core";
import { systemClock } from "../core/clock.ts";
import { EXIT } from "../core/exit.ts";
import { app } from "./app.ts";

const controller = new AbortController();
// The first interrupt lets a running apply take back what it did; the second ends the process as usual.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => controller.abort());
}
// Somebody who reads only the first lines (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(EXIT.ok);
  process.stderr.write(`error: Cannot write the answer: ${error.message}\n`);
  process.exit(EXIT.failure);
});

const logLevels = process.env["SLUICE_LOG"];
if (logLevels !== undefined) {
  const { configureLogs, parseLogLevels } = await import("../core/log.ts");
  const write = (line: string): void => void process.stderr.write(`${line}\n`);
  await configureLogs(parseLogLevels(logLevels) ?? { "": "debug" }, write, process.env["JOURNAL_STREAM"] !== undefined);
}

await run(app, process.argv.slice(2), {
  process: process as StricliProcess,
  signal: controller.signal,
  clock: systemClock,
});

const USAGE_ERRORS: readonly unknown[] = [ExitCode.InvalidArgument, ExitCode.UnknownCommand];
if (USAGE_ERRORS.includes(process.exitCode)) process.exitCode = EXIT.usage;
if (controller.signal.aborted && process.exitCode) process.exitCode = EXIT.interrupted;
