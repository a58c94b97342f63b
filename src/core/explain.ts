/** Anything that was thrown as a registered error, which says what to do. Pure. */
import { messageOf, SluiceError, sluiceError } from "./errors.ts";

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

/**
 * Explains it.
 *
 * @param unprivileged the command that was run, where more rights might help
 */
export function explainError(error: unknown, unprivileged?: string): SluiceError {
  if (error instanceof SluiceError) return error;
  const reason = messageOf(error);
  const { code, syscall } = error as { readonly code?: unknown; readonly syscall?: unknown };
  if (DENIED.has(code) && unprivileged !== undefined)
    return sluiceError(
      "PERMISSION",
      { action: `run "${unprivileged}"`, reason, command: unprivileged },
      { cause: error },
    );
  if (typeof syscall === "string") return explainCall(error, syscall);
  const stack = error instanceof Error ? (error.stack ?? reason) : reason;
  return sluiceError("INTERNAL", { reason: stack }, { cause: error });
}
