/** What `tc -batch` says of lines that failed. */

/**
 * Reads its stderr. Of a line it first says why, on as many lines as it likes, and then `Command failed -:3`, lines counted
 * from 1; what it says of no line (it could not start) stands under 0.
 *
 * @returns reasons by line, in the order of the lines
 */
export function decodeFailures(stderr: string): Map<number, string> {
  const failures = new Map<number, string>();
  let reason: string[] = [];
  for (const line of stderr.split("\n")) {
    const [, number] = /^Command failed [^:]*:(\d+)\s*$/.exec(line) ?? [];
    if (number === undefined) {
      if (line.trim() !== "") reason.push(line.trim());
      continue;
    }
    failures.set(Number(number), reason.join("; ") || "tc does not say why");
    reason = [];
  }
  if (reason.length > 0) failures.set(0, reason.join("; "));
  return failures;
}
