/** Which version this is. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

const read = (): string => {
  const text = readFileSync(join(import.meta.dirname, "../../package.json"), "utf8");
  return (JSON.parse(text) as { readonly version: string }).version;
};

/** As package.json has it. */
export const VERSION = read();
