/** What every command does with failures: rights it lacks are named, and with --json the answer is JSON even then. */
import { problem, SluiceError } from "../core/errors.ts";
import { answerJson, type CliContext } from "./context.ts";

/** The body of a command, whatever its own flags and arguments are. */
type Body = (this: CliContext, flags: never, ...args: never[]) => Promise<void>;

const DENIED: ReadonlySet<unknown> = new Set(["EPERM", "EACCES"]);

/** The failure as a registered error when it is one that users can mend. */
function explain(error: unknown): unknown {
  if (error instanceof SluiceError || !(error instanceof Error)) return error;
  if (!("code" in error) || !DENIED.has(error.code) || process.getuid?.() === 0) return error;
  const command = ["sluice", ...process.argv.slice(2)].join(" ");
  const params = { action: `run "${command}"`, reason: error.message, command };
  return new SluiceError([problem("PERMISSION", params)], { cause: error });
}

/** Wraps the body of a command. */
export function reporting<F extends Body>(body: F): F {
  const reported = async function (this: CliContext, flags: { readonly json?: boolean }, ...args: never[]) {
    try {
      await body.call(this, flags as never, ...args);
    } catch (error) {
      const explained = explain(error);
      if (!flags.json || !(explained instanceof SluiceError)) throw explained;
      answerJson(this, "error", { problems: explained.problems });
      this.process.exitCode = explained.exitCode;
    }
  };
  return reported as unknown as F;
}
