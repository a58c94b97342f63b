/** What every command does with failures: rights it lacks are named, and with --json the answer is JSON even then. */
import { messageOf, SluiceError, sluiceError } from "../core/errors.ts";
import { answerJson, type CliContext } from "./context.ts";

/** The body of a command, whatever its own flags and arguments are. */
type Body = (this: CliContext, flags: never, ...args: never[]) => Promise<void>;

const DENIED: ReadonlySet<unknown> = new Set(["EPERM", "EACCES"]);

/** Whatever was thrown as a registered error. */
function explain(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = messageOf(error);
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  if (DENIED.has(code) && process.getuid?.() !== 0) {
    const command = ["sluice", ...process.argv.slice(2)].join(" ");
    return sluiceError("PERMISSION", { action: `run "${command}"`, reason, command }, { cause: error });
  }
  if (typeof syscall === "string") return sluiceError("KERNEL_REFUSED", { action: syscall, reason }, { cause: error });
  const stack = error instanceof Error ? (error.stack ?? reason) : reason;
  return sluiceError("INTERNAL", { reason: stack }, { cause: error });
}

/** Wraps the body of a command. */
export function reporting<F extends Body>(body: F): F {
  const reported = async function (this: CliContext, flags: { readonly json?: boolean }, ...args: never[]) {
    try {
      await body.call(this, flags as never, ...args);
    } catch (error) {
      const explained = explain(error);
      if (!flags.json) throw explained;
      answerJson(this, "error", { problems: explained.problems });
      this.process.exitCode = explained.exitCode;
    }
  };
  return reported as unknown as F;
}
