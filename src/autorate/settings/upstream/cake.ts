/**
 * The settings of cake-autorate as it checks them: every variable that is assigned must be known and of the type of its
 * default, no text empty, no number negative, and some must go together. All errors at once.
 */
import type { Position } from "../../../core/json.ts";
import { didYouMean } from "../../../core/nearest.ts";
import { CAKE_VARIABLES, type CakeVariable } from "./cake-variables.ts";
import type { Assignment, ShellFile } from "./shell.ts";

/** What is wrong with a variable. */
export interface CakeError {
  readonly name: string;
  readonly reason: string;
  /** Where it is assigned; absent for a default that does not go with the rest. */
  readonly where?: Position;
}

/** Settings by the names of their variables. */
export class CakeSettings {
  readonly assigned: ReadonlyMap<string, Assignment>;

  constructor(assigned: ReadonlyMap<string, Assignment>) {
    this.assigned = assigned;
  }

  #value(name: string): string | readonly string[] | undefined {
    const usual = CAKE_VARIABLES[name]?.default;
    return this.assigned.get(name)?.value ?? (typeof usual === "number" ? String(usual) : usual);
  }

  /** A number. */
  number(name: string): number {
    return Number(this.#value(name));
  }

  /** Whether a switch is on. */
  on(name: string): boolean {
    return this.number(name) !== 0;
  }

  /** A text. */
  text(name: string): string {
    const value = this.#value(name);
    return typeof value === "string" ? value : "";
  }

  /** An array. */
  list(name: string): readonly string[] {
    return [this.#value(name) ?? []].flat();
  }
}

/** What comes of it. */
export interface CakeResult {
  /** Absent when there is an error. */
  readonly settings?: CakeSettings;
  readonly errors: readonly CakeError[];
}

const TYPES: Readonly<Record<"integer" | "float", readonly [pattern: RegExp, wanted: string]>> = {
  integer: [/^\d+$/, "a whole number"],
  float: [/^\d+(?:\.\d+)?$|^\.\d+$/, "a number"],
};

/** Why a value is not of its variable's type; undefined when it is. */
function typeFault(variable: CakeVariable, value: Assignment["value"]): string | undefined {
  if (typeof value !== "string") return variable.type === "array" ? undefined : "it is an array, wanted a single value";
  if (variable.type === "array") return `it is "${value}", wanted an array: ( "192.0.2.1" ... )`;
  if (variable.type === "string") return value === "" && variable.default !== "" ? "it is empty" : undefined;
  if (/^-[\d.]/.test(value)) return `it is ${value}, and nothing may be negative`;
  const [pattern, wanted] = TYPES[variable.type];
  return pattern.test(value) ? undefined : `it is "${value}", wanted ${wanted}`;
}

/** What does not go together: the variable to blame, and why. */
function crossFaults(settings: CakeSettings): (readonly [name: string, reason: string])[] {
  const faults: (readonly [string, string])[] = [];
  const ascending = (...names: readonly string[]): void => {
    for (const [at, name] of names.entries()) {
      const before = names[at - 1];
      if (before !== undefined && settings.number(before) > settings.number(name))
        faults.push([name, `it is ${settings.number(name)}, less than ${before} with ${settings.number(before)}`]);
    }
  };
  const directions = settings.on("upload_only") ? ["ul"] : ["dl", "ul"];
  for (const d of directions) {
    ascending(`min_${d}_shaper_rate_kbps`, `base_${d}_shaper_rate_kbps`, `max_${d}_shaper_rate_kbps`);
    ascending("connection_active_thr_kbps", `min_${d}_shaper_rate_kbps`);
  }
  ascending("bufferbloat_detection_thr", "bufferbloat_detection_window");
  ascending("reflector_misbehaving_detection_thr", "reflector_misbehaving_detection_window");
  if (!settings.on("upload_only") && settings.text("dl_if") === settings.text("ul_if"))
    faults.push(["ul_if", `it is "${settings.text("ul_if")}" as dl_if is`]);
  return faults;
}

/** Checks a configuration. */
export function cakeSettings({ assignments }: ShellFile): CakeResult {
  const errors: CakeError[] = [];
  for (const [name, { value, line, column }] of assignments) {
    const variable = Object.hasOwn(CAKE_VARIABLES, name) ? CAKE_VARIABLES[name] : undefined;
    const reason = variable
      ? typeFault(variable, value)
      : `cake-autorate has no such setting${didYouMean(name, Object.keys(CAKE_VARIABLES))}`;
    if (reason !== undefined) errors.push({ name, reason, where: { line, column } });
  }
  const wrong = new Set(errors.map(({ name }) => name));
  const settings = new CakeSettings(new Map([...assignments].filter(([name]) => !wrong.has(name))));
  for (const [name, reason] of crossFaults(settings)) {
    const at = assignments.get(name);
    errors.push({ name, reason, ...(at && { where: { line: at.line, column: at.column } }) });
  }
  return { ...(errors.length === 0 && { settings }), errors };
}
