/** What the caller asked the benches of autorate for. */

/** Those that were named, in the order of the table; all when none was. @throws Error when one is unknown */
export function named<T extends string>(
  kind: string,
  all: readonly T[],
  names: readonly string[] | undefined,
): readonly T[] {
  const unknown = names?.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`There is no ${kind} "${unknown}": there are ${all.join(", ")}`);
  return names ? all.filter((known) => names.includes(known)) : all;
}

/** A count that was asked for. @throws Error when it is none */
export function count(what: string, value: number): number {
  if (!Number.isInteger(value) || value < 1) throw new Error(`Cannot run ${value} ${what}: wanted a number from 1`);
  return value;
}
