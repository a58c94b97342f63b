/** What every command does with failures: rights it lacks are named, and with --json the answer is JSON even then. */
import { explainError } from "../core/explain.ts";
import { answerJson, type CliContext } from "./context.ts";

/** The body of a command, whatever its own flags and arguments are. */
type Body = (this: CliContext, flags: never, ...args: never[]) => Promise<void>;

/** The command that was run, when this user is not root. */
const unprivileged = (): string | undefined =>
  process.getuid?.() === 0 ? undefined : ["sluice", ...process.argv.slice(2)].join(" ");

/** Wraps the body of a command. */
export function reporting<F extends Body>(body: F): F {
  const reported = async function (this: CliContext, flags: { readonly json?: boolean }, ...args: never[]) {
    try {
      await body.call(this, flags as never, ...args);
    } catch (error) {
      const explained = explainError(error, unprivileged());
      if (!flags.json) throw explained;
      answerJson(this, { schema: "sluice/error/1", problems: explained.problems });
      this.process.exitCode = explained.exitCode;
    }
  };
  return reported as unknown as F;
}
