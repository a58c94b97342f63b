/** The list of reflectors: the user's, or the one that comes with sluice. */
import { join } from "node:path";
import { readText } from "../../linux/text-file.ts";
import { parseReflectors, type ReflectorList } from "./parse.ts";

/** Public resolvers that have answered pings for years, from many places each. */
const SHIPPED_REFLECTORS = join(import.meta.dirname, "reflectors.csv");

/** Reads a list; the shipped one when no file is named. Never throws. */
export function readReflectors(file = SHIPPED_REFLECTORS): ReflectorList {
  const read = readText(file, "FILE_UNREADABLE");
  return "problem" in read ? { reflectors: [], problems: [read.problem] } : parseReflectors(read.text, file);
}
