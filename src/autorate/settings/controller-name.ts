/** Which controller: one of sluice's own by its name, or a script. */
import { Refusal, shown } from "../../core/config-values.ts";
import { didYouMean } from "../../core/nearest.ts";
import { CONTROLLER_OPTIONS } from "./options.ts";
import type { ValueType } from "./value-type.ts";

/** Whether a controller is the path of a Lua script and not a name. */
export const isScript = (controller: string): boolean => controller.includes("/") || controller.endsWith(".lua");

/** A name or a path. */
export const CONTROLLER: ValueType<string> = {
  wanted: `${Object.keys(CONTROLLER_OPTIONS)
    .map((name) => `\`"${name}"\``)
    .join(", ")}, path of a Lua script`,
  read: (value) => {
    if (typeof value === "string" && !value.includes("\0")) {
      if (isScript(value) || Object.hasOwn(CONTROLLER_OPTIONS, value)) return value;
    }
    const names = Object.keys(CONTROLLER_OPTIONS).map((name) => `"${name}"`);
    const hint = typeof value === "string" ? didYouMean(value, Object.keys(CONTROLLER_OPTIONS)) : "";
    return new Refusal(
      `it is ${shown(value)}, wanted ${names.join(", ")}, or the path of a Lua script (with a / or ending in .lua)${hint}`,
    );
  },
};
