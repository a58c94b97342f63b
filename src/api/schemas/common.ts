/** Schemas that many routes use. */
import * as v from "valibot";
import { type Code, ERRORS } from "../../core/codes.ts";

/** A whole number from 0. */
export const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** A time: RFC 3339 in UTC. */
export const time = v.pipe(v.string(), v.isoTimestamp());

/** An answer: an object that names its schema and version first. Fields are only ever added. */
export const answer = <const N extends string, E extends v.ObjectEntries>(name: N, entries: E) =>
  v.object({ schema: v.literal(`sluice/${name}/1` as const), ...entries });

const codes = Object.keys(ERRORS) as [Code, ...Code[]];

/** Something that is wrong, or worth knowing (docs/errors.md). */
export const problem = v.object({
  code: v.pipe(v.picklist(codes), v.metadata({ description: "See docs/errors.md" })),
  severity: v.picklist(["error", "warning"]),
  where: v.exactOptional(
    v.object({
      file: v.string(),
      line: v.exactOptional(count),
      column: v.exactOptional(count),
      path: v.exactOptional(v.string()),
    }),
  ),
  message: v.string(),
  remedy: v.string(),
});

/** Warnings. */
export const warnings = v.array(problem);

/** What every failed request answers. */
export const failure = answer("error", { problems: v.pipe(v.array(problem), v.minLength(1)) });

/** How many actions add, change and remove. */
export const summary = v.object({ add: count, change: count, remove: count });

/** An action of a plan. */
export const action = v.object({
  sign: v.picklist(["+", "~", "-"]),
  kind: v.string(),
  dev: v.exactOptional(v.string()),
  text: v.string(),
});

/** Bit/s, download and upload. */
export const rates = v.object({ download: v.number(), upload: v.number() });

/** A yes or no in a query. */
export const yesNo = v.pipe(
  v.picklist(["true", "false"]),
  v.transform((word) => word === "true"),
);

/** A number in a path or query, from `least` to `most`. */
export const digits = (least = 0, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.string(), v.regex(/^\d{1,16}$/, "a whole number"), v.transform(Number), v.minValue(least), v.maxValue(most));

/** An id of the kernel's or ours in a path: decimal, or hex with 0x. */
export const idParam = v.object({
  id: v.pipe(
    v.string(),
    v.regex(/^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/, "an id, decimal or hex with 0x"),
    v.transform(Number),
    v.minValue(1),
    v.maxValue(0xffff_ffff),
  ),
});

/** An id in a body. */
export const id = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff_ffff));

/** A text of a bounded length without a NUL. */
export const word = (most = 256) => v.pipe(v.string(), v.minLength(1), v.maxLength(most), v.regex(/^[^\0]*$/));

/** A network namespace, by name or path. */
export const netns = word(4096);

/** An interface. */
export const device = v.pipe(v.string(), v.regex(/^[^\s/]{1,15}$/, "the name of an interface"));

/** Words by their names, as metadata has them. */
export const pairs = v.record(word(256), v.pipe(v.string(), v.maxLength(4096)));

/** Milliseconds to wait for another change; 0 waits for ever. */
export const lockTimeout = v.exactOptional(v.pipe(count, v.maxValue(86_400_000)));
