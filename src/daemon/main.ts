/** `sluiced`: the daemon. */
import { mkdirSync } from "node:fs";
import { flushCompileCache } from "node:module";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../core/clock.ts";
import { formatProblem, SluiceError, sluiceError } from "../core/errors.ts";
import { EXIT } from "../core/exit.ts";
import { explainError } from "../core/explain.ts";
import { logger } from "../core/log.ts";
import { FdStore } from "../linux/fd-store.ts";
import { tryLock } from "../linux/lock.ts";
import { Notifier } from "../linux/notify.ts";
import { pathsBelow } from "../linux/paths.ts";
import { VERSION } from "../linux/version.ts";
import { Daemon } from "./daemon.ts";
import { Logs } from "./logs.ts";

const HELP = `sluiced ${VERSION}: shapes, dispatches, and serves the API on a socket

USAGE
  sluiced [--config FILE] [--netns NS] [--cleanup]

FLAGS
  -c --config   Configuration file (default /etc/sluice/sluice.toml)
  -n --netns    Work on the interfaces of this network namespace (name or path)
     --cleanup  When it is stopped, take everything away that it made; else it stays
  -v --version  Print the version
  -h --help     Print this

SIGNALS
  SIGHUP        Read all files anew and apply them; files with errors change nothing
  SIGTERM       Stop; what is in the kernel stays as it is
`;

function readArguments() {
  try {
    return parseArgs({
      options: {
        config: { type: "string", short: "c" },
        netns: { type: "string", short: "n" },
        cleanup: { type: "boolean", default: false },
        version: { type: "boolean", short: "v", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n    remedy: See sluiced --help\n`);
    process.exit(EXIT.usage);
  }
}

/** Says why it cannot run, and ends. */
function fail(error: unknown): never {
  const { problems, exitCode } = explainError(error);
  process.stderr.write(problems.map((p) => `${formatProblem(p)}\n`).join(""));
  process.exit(exitCode);
}

const args = readArguments();
if (args.help || args.version) {
  process.stdout.write(args.help ? HELP : `${VERSION}\n`);
  process.exit(EXIT.ok);
}

const log = logger("daemon");
const journal = process.env["JOURNAL_STREAM"] !== undefined;
const logs = new Logs((line) => void process.stderr.write(`${line}\n`), journal);
await logs.adopt({ "": "info" });

const paths = pathsBelow();
const place = {
  paths,
  clock: systemClock,
  config: args.config ?? paths.config,
  ...(args.netns !== undefined && { netns: args.netns }),
};

// Held until the process ends, however it ends: whoever has it may take the place of a socket that was left.
const lock = (() => {
  try {
    mkdirSync(dirname(paths.socket), { recursive: true, mode: 0o755 });
    return tryLock(`${paths.socket}.lock`);
  } catch (error) {
    return fail(error);
  }
})();
if (!lock) fail(sluiceError("DAEMON_RUNNING", { socket: paths.socket }));

process.on("uncaughtException", (error) => {
  log.fatal("{reason}", { reason: error.stack ?? error.message });
  process.exit(EXIT.failure);
});

const notifier = new Notifier(process.env);
const fds = new FdStore(notifier, process.env);
const daemon = (() => {
  try {
    return new Daemon({ place, logs, notifier, fds, version: VERSION });
  } catch (error) {
    return fail(error);
  }
})();
const started = daemon.start();

/** Ends in order; the exit code says whether all that was asked for was done. */
async function end(): Promise<void> {
  let code: number = EXIT.ok;
  try {
    // A first apply that is under way is finished, like any other.
    await started;
    await daemon.stop(args.cleanup);
  } catch (error) {
    log.error("{reason}", { reason: explainError(error).message });
    code = EXIT.failure;
  }
  await daemon[Symbol.asyncDispose]();
  process.exit(code);
}

let stopping = false;
for (const signal of ["SIGTERM", "SIGINT"] as const)
  process.on(signal, () => {
    // The second one does not wait for anybody.
    if (stopping) process.exit(EXIT.interrupted);
    stopping = true;
    void end();
  });
process.on("SIGHUP", () => void started.then(() => daemon.reload("SIGHUP")).catch(() => undefined));

try {
  await started;
  flushCompileCache();
} catch (error) {
  if (error instanceof SluiceError) notifier.tell({ STATUS: error.problems[0]!.message });
  fail(error);
}
