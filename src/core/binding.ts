/**
 * Values that only the kernel can give (a program's id, a filter's handle) inside plans that are made before: an action
 * says under which name it binds its output, and later actions of the same plan name it by a {@link Ref}.
 */

/** Stands for a value that an earlier action of the plan binds. */
export interface Ref {
  readonly ref: string;
}

/** A value, or the name of one that is not known yet. */
export type Bound<T> = T | Ref;

/** Names a value that an action binds. */
export const ref = (name: string): Ref => ({ ref: name });

/** Whether it is a name that has to be looked up. */
const isRef = (value: unknown): value is Ref =>
  typeof value === "object" && value !== null && "ref" in value && typeof value.ref === "string";

/** For people: the value, or the name in angle brackets. */
export const showBound = (value: Bound<number>): string => (isRef(value) ? `<${value.ref}>` : String(value));

/** What the actions of one plan have bound so far. */
export class Bindings {
  readonly #values = new Map<string, number>();

  /** Binds a name. */
  set(name: string, value: number): void {
    this.#values.set(name, value);
  }

  /** The value of a name; undefined when no action has bound it. */
  find(name: string): number | undefined {
    return this.#values.get(name);
  }

  /** The value, looked up when it is a name. @throws TypeError when no action bound it: the plan's order is wrong */
  resolve(value: Bound<number>): number {
    if (!isRef(value)) return value;
    const found = this.#values.get(value.ref);
    if (found === undefined) throw new TypeError(`No action bound "${value.ref}" before it was used`);
    return found;
  }
}
