/** Recorded runs of the programs that autorate is measured against; they lie beside the project. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** Where they lie. */
const GOLDEN = resolve(import.meta.dirname, "../../../shared/golden/autorate");

/** Why tests that read them are skipped; undefined when they are there. */
export const skipAutorateGolden: string | undefined = existsSync(GOLDEN)
  ? undefined
  : `the recorded runs of autorate are not at ${GOLDEN}`;

/** The names of those that begin so; none when the folder is missing. */
export const autorateGoldens = (prefix: string): string[] =>
  skipAutorateGolden === undefined
    ? readdirSync(GOLDEN)
        .filter((file) => file.startsWith(prefix))
        .map((file) => file.replace(/\.json$/, ""))
        .toSorted()
    : [];

/** One of them. */
export const autorateGolden = (name: string): unknown => JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), "utf8"));
