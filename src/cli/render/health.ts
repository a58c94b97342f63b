/** Conditions for people. */
import type { ConditionJson } from "../../api/schemas/system.ts";
import { printable } from "./printable.ts";

/** Each condition with its remedy, after an empty line; nothing when all is well. */
export const conditionLines = (conditions: readonly ConditionJson[]): string[] =>
  conditions.flatMap(({ code, severity, message, remedy, since }) => [
    "",
    `${severity}: ${printable(message)} [${code}] since ${since}`,
    `    remedy: ${remedy}`,
  ]);
