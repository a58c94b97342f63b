/** Generators of tc objects for property tests: everything the types allow and the kernel takes. */
import fc from "fast-check";
import type { ClassAt, HtbClass } from "../../src/core/tc/class.ts";
import { type Handle, handle, TC_ROOT } from "../../src/core/tc/handle.ts";
import {
  type Cake,
  CAKE_ACK_FILTER,
  CAKE_ATM,
  CAKE_DIFFSERV,
  CAKE_FLOW,
  type Clsact,
  type Fifo,
  type FqCodel,
  type Htb,
  type Mq,
  type Qdisc,
  type QdiscAt,
  type Tbf,
} from "../../src/core/tc/qdisc.ts";
import { bitsPerSecond, bytes, microseconds } from "../../src/core/units.ts";

/** Rates in whole bytes per second, as the kernel keeps them, on both sides of 2^32 bytes/s. */
const rates = fc
  .oneof(fc.integer({ min: 1, max: 2 ** 32 }), fc.integer({ min: 2 ** 32 - 2, max: 2 ** 40 }))
  .map((bytesPerSecond) => bitsPerSecond(bytesPerSecond * 8));

const u32 = fc.nat({ max: 0xffff_ffff });
const u16 = fc.nat({ max: 0xffff });
const times = fc.integer({ min: 1, max: 10_000_000 }).map(microseconds);
const sizes = u32.map(bytes);

/** With any of the optional fields left out. */
const partly = <T, K extends keyof T>(model: { [P in keyof T]: fc.Arbitrary<T[P]> }, required: K[]) =>
  fc.record(model, { requiredKeys: required, noNullPrototype: true }) as fc.Arbitrary<Pick<T, K> & Partial<T>>;

const cakes = partly<Required<Cake>, "kind">(
  {
    kind: fc.constant("cake"),
    bandwidth: rates,
    diffserv: fc.constantFrom(...CAKE_DIFFSERV),
    flow: fc.constantFrom(...CAKE_FLOW),
    rtt: times,
    ackFilter: fc.constantFrom(...CAKE_ACK_FILTER),
    nat: fc.boolean(),
    wash: fc.boolean(),
    splitGso: fc.boolean(),
    ingress: fc.boolean(),
    autorateIngress: fc.boolean(),
    atm: fc.constantFrom(...CAKE_ATM),
    overhead: fc.oneof(fc.integer({ min: -64, max: 256 }), fc.constant("raw" as const)),
    mpu: fc.nat({ max: 256 }).map(bytes),
    memlimit: sizes,
    fwmark: u32,
  },
  ["kind"],
);

const fqCodels = partly<Required<FqCodel>, "kind">(
  {
    kind: fc.constant("fq_codel"),
    limit: u32,
    flows: fc.integer({ min: 1, max: 65_536 }),
    target: times,
    interval: times,
    quantum: sizes,
    ecn: fc.boolean(),
    memoryLimit: sizes,
    dropBatch: u32,
    ceThreshold: times,
  },
  ["kind"],
);

const tbfs = fc
  .record({ rate: rates, burst: sizes, limit: sizes, peak: fc.option(fc.record({ peakrate: rates, mtu: sizes })) })
  .map(({ peak, ...rest }): Tbf => ({ kind: "tbf", ...rest, ...peak }));

/** Every kind of qdisc, each with any set of its options. */
export const qdiscs: fc.Arbitrary<Qdisc> = fc.oneof(
  cakes as fc.Arbitrary<Cake>,
  fqCodels as fc.Arbitrary<FqCodel>,
  tbfs,
  partly<Required<Htb>, "kind" | "default">(
    { kind: fc.constant("htb"), default: u16, r2q: fc.integer({ min: 1, max: 0xffff_ffff }) },
    ["kind", "default"],
  ),
  partly<Fifo, keyof Fifo>({ kind: fc.constantFrom("pfifo", "bfifo"), limit: u32 }, ["kind", "limit"]),
  fc.constantFrom<(Mq | Clsact)["kind"]>("mq", "clsact", "ingress").map((kind): Mq | Clsact => ({ kind })),
);

/** Handles of classes. */
export const classids: fc.Arbitrary<Handle> = fc
  .tuple(fc.integer({ min: 1, max: 0xfffe }), fc.integer({ min: 1, max: 0xffff }))
  .map(([major, minor]) => handle(major, minor));

/** Qdiscs in a place. */
export const placedQdiscs: fc.Arbitrary<QdiscAt> = fc.record({
  handle: fc.integer({ min: 1, max: 0xfffe }).map((major) => handle(major)),
  parent: fc.oneof(classids, fc.constant(TC_ROOT)),
  qdisc: qdiscs,
});

/** HTB classes whose bursts are sent within an hour, so that their time fits in 32 bits of ticks. */
const htbClasses: fc.Arbitrary<HtbClass> = fc
  .record({
    rate: rates,
    ceil: rates,
    quantum: sizes,
    prio: fc.nat({ max: 7 }),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ share, ...rest }) => {
    const burst = (rate: number) => bytes(Math.floor(Math.min(2 ** 31, (rate / 8) * 200) * share));
    return { ...rest, burst: burst(rest.rate), cburst: burst(rest.ceil) };
  });

/** Classes in a place, below another class or below the HTB itself. */
export const placedClasses: fc.Arbitrary<ClassAt> = fc
  .record({ classid: classids, parentMinor: u16, htb: htbClasses })
  .map(({ classid, parentMinor, htb }) => ({ classid, parent: handle(classid >>> 16, parentMinor), htb }));
