/** Where the relay's tables are, and whether there are any. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Place } from "../place.ts";

/** Where its tables are pinned. */
export const pinsOf = ({ paths }: Place): string => join(paths.pins, "relay");

/** Whether a relay has left something in the kernel. */
export const hasRelay = (place: Place): boolean => existsSync(pinsOf(place));
