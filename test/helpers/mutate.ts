/** Values made wrong: what a careless or hostile caller might send in the place of a good one. Random, by a seed. */

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);

/** Values that are seldom what is wanted. */
export const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  1.5,
  1e308,
  2 ** 53,
  -(2 ** 63),
  "",
  " ",
  "0",
  "-1",
  "1e9",
  "0x",
  "NaN",
  "__proto__",
  "constructor",
  "../../etc/passwd",
  "/proc/self/mem",
  "a\u0000b",
  "\uD800",
  "💥".repeat(50),
  "%00",
  "lo",
  "lan0",
  "x".repeat(5000),
  "'; drop table event; --",
  "<script>",
  "$" + "{7*7}",
  [],
  [null],
  {},
  { __proto__: null, toString: 1 },
  nested(200),
];

/** One of a list. */
export const pick = <T>(random: () => number, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

/** A value with something in it made wrong. */
export function mutate(random: () => number, value: unknown): unknown {
  if (random() < 0.25) return pick(random, ODD);
  if (Array.isArray(value)) {
    const copy = [...(value as unknown[])];
    if (copy.length === 0 || random() < 0.3) return [...copy, pick(random, ODD)];
    const at = Math.floor(random() * copy.length);
    copy[at] = mutate(random, copy[at]);
    return copy;
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value);
    const action = random();
    if (entries.length === 0 || action < 0.2)
      return { ...value, [pick(random, ["plan", "id", "", "x"])]: pick(random, ODD) };
    const at = Math.floor(random() * entries.length);
    if (action < 0.4) return Object.fromEntries(entries.filter((_, i) => i !== at));
    return Object.fromEntries(entries.map(([key, item], i) => [key, i === at ? mutate(random, item) : item]));
  }
  return pick(random, ODD);
}

/** A text with some of it taken away, doubled, or made something else. */
export function garble(random: () => number, text: string): string {
  const at = Math.floor(random() * text.length);
  const length = Math.floor(random() * 12);
  const rest = text.slice(at + length);
  switch (Math.floor(random() * 5)) {
    case 0:
      return text.slice(0, at) + rest;
    case 1:
      return text.slice(0, at) + text.slice(at, at + length).repeat(3) + rest;
    case 2:
      return (
        text.slice(0, at) +
        pick(random, ['"', "\n", "[", "]", "=", "\u0000", "é", "#", "9".repeat(400), "{", ","]) +
        rest
      );
    case 3:
      return text.slice(0, at);
    default:
      return text.slice(0, at) + String.fromCharCode(Math.floor(random() * 0x250)) + rest;
  }
}
