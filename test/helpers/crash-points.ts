/** At which points of an operation the crash tests kill it. */
import type { TestContext } from "node:test";

/**
 * Every point from 0; where processes start slowly (`SLUICE_TEST_EVERY=8`, as in virtual machines) each
 * eighth of them, another eighth from test to test. What was left out is told as a note.
 *
 * @param step 3 for each third point on any machine
 */
export function crashPoints(t: TestContext, total: number, step = 1): number[] {
  const every = step * Number(process.env["SLUICE_TEST_EVERY"] ?? 1);
  const first = t.name.length % every;
  const points = Array.from({ length: total }, (_, point) => point).filter((point) => point % every === first % total);
  t.diagnostic(points.length === total ? `${total} points` : `${points.length} of ${total} points`);
  return points;
}
