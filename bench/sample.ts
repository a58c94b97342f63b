/** Repeated measurements of one thing, and how two things are measured side by side. */

/** Measurements of one thing, all in the same unit. */
export interface Sample {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The middle, the least and the greatest of at least one value. */
export function sample(values: readonly number[]): Sample {
  if (values.length === 0) throw new TypeError("Cannot summarize no values");
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median = sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** Milliseconds that something takes. */
export async function elapsed(body: () => unknown): Promise<number> {
  const begin = performance.now();
  await body();
  return performance.now() - begin;
}

/**
 * Runs every contestant `runs` times in turns (A B A B ...), so that whatever else the machine does meanwhile meets all
 * of them alike.
 *
 * @param contestants each measures itself once per call and tells the result
 */
export async function alternate<K extends string>(
  runs: number,
  contestants: Readonly<Record<K, () => number | Promise<number>>>,
): Promise<Record<K, Sample>> {
  const names = Object.keys(contestants) as K[];
  const values = new Map(names.map((name) => [name, [] as number[]]));
  for (let run = 0; run < runs; run += 1) {
    for (const name of names) values.get(name)!.push(await contestants[name]());
  }
  return Object.fromEntries(names.map((name) => [name, sample(values.get(name)!)])) as Record<K, Sample>;
}

/**
 * How the time grows with the size: the exponent `e` in `time ~ size^e` through two points. 1 is linear, 2 quadratic.
 */
export const growth = (small: number, smallTime: number, large: number, largeTime: number): number =>
  Math.log(largeTime / smallTime) / Math.log(large / small);
