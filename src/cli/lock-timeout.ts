/** `--lock-timeout`: how long a change waits for another one to finish. */
import { sluiceError } from "../core/errors.ts";

/** The flag. */
export interface LockFlags {
  readonly lockTimeout?: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000 };

/** Parses a time such as `30s`, `500ms` or `2m` to milliseconds; seconds without a unit. @throws SluiceError USAGE */
export function parseTimeout(word: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(word);
  if (match) return Number(match[1]) * UNITS[match[2] ?? "s"]!;
  const reason = `Cannot use the time "${word}": wanted such as 30s, 500ms or 2m; 0 waits for ever`;
  throw sluiceError("USAGE", { reason, command: "sluice" });
}

/** Milliseconds to wait; undefined for the usual time. */
export const lockTimeoutOf = ({ lockTimeout }: LockFlags): number | undefined =>
  lockTimeout === undefined ? undefined : parseTimeout(lockTimeout);
