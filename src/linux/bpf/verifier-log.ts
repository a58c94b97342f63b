/** The verifier's log is thousands of lines; why it refused stands in the last ones. */

/** Statistics that follow the reason. */
const NOISE = /^(processed \d+ insns|verification time|stack depth|mark_precise|-- (BEGIN|END) |peak_states)/;
const KEPT = 3;

/** The last telling lines of a verifier's log, joined by `; `; empty for an empty log. */
export function foldLog(log: string): string {
  return log
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !NOISE.test(line))
    .slice(-KEPT)
    .join("; ");
}
