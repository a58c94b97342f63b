/** Rules as planes are told them, made up. */
import fc from "fast-check";
import type { PlaneOutput, PlaneRule } from "../../src/relay/model.ts";

/** An output, 239.2.2.2:5002 by eth1 unless told otherwise. */
export const planeOutput = (more: Partial<PlaneOutput> = {}): PlaneOutput => ({
  slot: 1,
  ifindex: 3,
  device: "eth1",
  group: Uint8Array.of(239, 2, 2, 2),
  port: 5002,
  ttl: 1,
  mtu: 1500,
  ...more,
});

/** A rule, 239.1.1.1:5001 from interface 2 unless told otherwise. */
export const planeRule = (more: Partial<PlaneRule> = {}): PlaneRule => ({
  id: "0000000000000001",
  slot: 0,
  ifindex: 2,
  group: Uint8Array.of(239, 1, 1, 1),
  port: 5001,
  vlan: 0,
  class: "normal",
  cap: {},
  outputs: [planeOutput()],
  ...more,
});

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length });
const defined = <T>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value as object).filter(([, entry]) => entry !== undefined)) as never;

const anyOutput = (size: number): fc.Arbitrary<PlaneOutput> =>
  fc
    .record({
      slot: fc.nat(1_000_000),
      ifindex: fc.nat(1_000_000),
      device: fc.string({ minLength: 1, maxLength: 15, unit: "grapheme-ascii" }),
      group: bytes(size),
      port: fc.nat(65_535),
      ttl: fc.integer({ min: 1, max: 255 }),
      dscp: fc.option(fc.nat(63), { nil: undefined }),
      source: fc.option(bytes(size), { nil: undefined }),
      ownMac: fc.option(bytes(6), { nil: undefined }),
      mac: fc.option(bytes(6), { nil: undefined }),
      mtu: fc.integer({ min: 68, max: 65_536 }),
      singly: fc.option(fc.constant(true), { nil: undefined }),
    })
    .map((output) => defined(output));

/** Any rule of either family. */
export const anyPlaneRule: fc.Arbitrary<PlaneRule> = fc.constantFrom(4, 16).chain((size) =>
  fc
    .record({
      id: fc.string({ minLength: 1, maxLength: 16 }),
      slot: fc.nat(1_000_000),
      ifindex: fc.nat(1_000_000),
      group: bytes(size),
      port: fc.nat(65_535),
      source: fc.option(bytes(size), { nil: undefined }),
      vlan: fc.nat(4094),
      class: fc.constantFrom("high" as const, "normal" as const, "low" as const),
      cap: fc
        .record({
          bitsPerSecond: fc.option(fc.nat(), { nil: undefined }),
          packetsPerSecond: fc.option(fc.nat(), { nil: undefined }),
        })
        .map((cap) => defined(cap)),
      outputs: fc.array(anyOutput(size), { maxLength: 5 }),
    })
    .map((rule) => defined(rule)),
);
