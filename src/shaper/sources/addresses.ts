/** Every address belongs to one device: what stands in the way of that. */
import { type Location, type Problem, problem } from "../../core/errors.ts";
import { overlaps, type Prefix } from "../../core/prefix.ts";
import type { Circuit, Device } from "../model.ts";

interface Claim {
  readonly prefix: Prefix;
  readonly circuit: Circuit;
  readonly device: Device;
  /** Position in the file's order. */
  readonly order: number;
}

/** A host without its `/32` or `/128`. */
function shown({ family, length, key }: Prefix): string {
  return length === (family === 4 ? 32 : 128) ? key.slice(0, key.indexOf("/")) : key;
}

/** Pairs of claims as (problem at, because of): for equal prefixes the later row, else the smaller prefix. */
function collisions(claims: readonly Claim[]): Map<Claim, Claim> {
  const worst = new Map<Claim, Claim>();
  for (const [a, b] of overlaps(claims.map((value) => ({ prefix: value.prefix, value })))) {
    const equal = a.prefix.length === b.prefix.length;
    // Inside one circuit a prefix within another changes nothing: both lead to the same queue.
    if (!equal && a.circuit === b.circuit) continue;
    const [outer, inner] = equal && b.order < a.order ? [b, a] : [a, b];
    const known = worst.get(inner);
    const closer = !known || outer.prefix.length > known.prefix.length;
    const earlier = outer.prefix.length === known?.prefix.length && outer.order < known.order;
    if (closer || earlier) worst.set(inner, outer);
  }
  return worst;
}

/**
 * Finds addresses given twice and prefixes of one circuit inside those of another. One problem per address, naming what
 * comes closest: an equal prefix, else the smallest that holds it.
 *
 * @param locate where the address cell of a device stands
 */
export function checkAddresses(
  circuits: readonly Circuit[],
  locate: (device: Device, family: 4 | 6) => Location,
): Problem[] {
  const claims: Claim[] = [];
  for (const circuit of circuits) {
    for (const device of circuit.devices) {
      for (const prefix of device.prefixes) claims.push({ prefix, circuit, device, order: claims.length });
    }
  }
  return [...collisions(claims)].map(([inner, outer]) => {
    const where = locate(inner.device, inner.prefix.family);
    const address = shown(inner.prefix);
    const first = outer.device.where.line ?? 0;
    if (inner.prefix.length === outer.prefix.length) {
      const again = inner.device === outer.device;
      const taken = again ? "stands twice in this row" : `is taken by device "${outer.device.id}" on line ${first}`;
      return problem("DEVICES_ADDRESS_DUPLICATE", { address, device: inner.device.id, taken }, where);
    }
    const params = { address, circuit: inner.circuit.id, outer: shown(outer.prefix), other: outer.circuit.id, first };
    return problem("DEVICES_ADDRESS_OVERLAP", params, where);
  });
}
