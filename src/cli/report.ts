/** What every command does with failures: rights it lacks are named, and with --json the answer is JSON even then. */
import { messageOf, SluiceError, sluiceError } from "../core/errors.ts";
import { answerJson, type CliContext } from "./context.ts";

/** The body of a command, whatever its own flags and arguments are. */
type Body = (this: CliContext, flags: never, ...args: never[]) => Promise<void>;

const DENIED: ReadonlySet<unknown> = new Set(["EPERM", "EACCES"]);

/** What a call that failed says: Node's own calls on files and programs, and the kernel's. */
function explainCall(error: unknown, syscall: string): SluiceError {
  const { path, code } = error as { readonly path?: unknown; readonly code?: unknown };
  const message = messageOf(error);
  const reason = message.startsWith(`${syscall}: `) ? message.slice(syscall.length + 2) : message;
  if (typeof path !== "string") return sluiceError("KERNEL_REFUSED", { action: syscall, reason }, { cause: error });
  if (syscall === `spawn ${path}` && code === "ENOENT")
    return sluiceError("PROGRAM_MISSING", { program: path }, { cause: error });
  return sluiceError("PATH_UNUSABLE", { action: syscall, file: path, reason: reason.split(",")[0]! }, { cause: error });
}

/** Whatever was thrown as a registered error. */
function explain(error: unknown): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = messageOf(error);
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  if (DENIED.has(code) && process.getuid?.() !== 0) {
    const command = ["sluice", ...process.argv.slice(2)].join(" ");
    return sluiceError("PERMISSION", { action: `run "${command}"`, reason, command }, { cause: error });
  }
  if (typeof syscall === "string") return explainCall(error, syscall);
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
