/**
 * Finds exports without a docstring right before them: `node tools/check-docs.ts` lists those of src, exit 1 if any.
 * test/architecture.test.ts asks the same.
 */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** An export nobody described. */
export interface Undocumented {
  /** From 1. */
  readonly line: number;
  readonly name: string;
}

const EXPORT =
  /^export (?:default |declare |abstract |async )*(?:function\*?|class|interface|type|const|let) (?<name>[\w$]+)/;

/**
 * The undocumented exports in a file's text. `export { a } from` passes a name on whose description stands elsewhere, and
 * of a function with overloads the first signature carries it.
 */
export function undocumented(text: string): Undocumented[] {
  const lines = text.split("\n");
  let previous = "";
  return lines.flatMap((line, index) => {
    const name = EXPORT.exec(line)?.groups?.["name"];
    if (name === undefined) return [];
    const overload = name === previous && /^export (async )?function /.test(line);
    previous = name;
    const before = lines[index - 1]?.trimEnd() ?? "";
    return overload || before.endsWith("*/") ? [] : [{ line: index + 1, name }];
  });
}

if (import.meta.main) {
  const root = join(import.meta.dirname, "..");
  for (const file of globSync("src/**/*.ts", { cwd: root }).toSorted()) {
    if (file.endsWith(".test.ts")) continue;
    for (const { line, name } of undocumented(readFileSync(join(root, file), "utf8"))) {
      console.log(`${file}:${line}: ${name} has no docstring: say what it is, its units and errors, right before it`);
      process.exitCode = 1;
    }
  }
}
