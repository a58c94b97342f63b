/** "Did you mean": the known word that a mistyped one most likely stands for. */

/** Number of single-character insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}

const fold = (word: string): string => word.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
const digits = (word: string): string => word.replaceAll(/\D/g, "");

/**
 * The candidate nearest to `word`: one that differs only in case, blanks and punctuation, else one that is at most two
 * edits away (one, for words under eight characters). Words with other digits are never near: `AP_12` is not a
 * misspelt `AP_11`, nor `ipv4` a misspelt `ipv6`.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const target = fold(word);
  const number = digits(word);
  let best: string | undefined;
  let bound = (target.length < 4 ? 0 : target.length < 8 ? 1 : 2) + 1;
  for (const candidate of candidates) {
    const folded = fold(candidate);
    if (Math.abs(folded.length - target.length) >= bound || digits(candidate) !== number) continue;
    const distance = editDistance(target, folded);
    if (distance >= bound) continue;
    best = candidate;
    bound = distance;
  }
  return best;
}

/** `; did you mean "x"?` for the end of a message, or nothing when no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const found = nearest(word, candidates);
  return found === undefined ? "" : `; did you mean "${found}"?`;
}
