/**
 * Measuring on the real kernel: its own answers, and reflectors with every fault there is. What a sample says is compared
 * with its own round trip, so that a busy machine fails nothing.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ip } from "../../demo/lab.ts";
import type { ProbeConfig } from "../../src/autorate/config.ts";
import type { Judged, Outstanding } from "../../src/autorate/model.ts";
import { Prober, type ProberOptions } from "../../src/autorate/probe/prober.ts";
import type { ReflectorState } from "../../src/autorate/probe/known.ts";
import type { Reflector } from "../../src/autorate/reflectors/reflector.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { milliseconds } from "../../src/core/units.ts";
import { DAY, timeOfDay } from "../../src/linux/icmp/codec.ts";
import { waiter } from "../../src/linux/waiter.ts";
import { prefixes } from "../helpers/isp.ts";
import { sendUdp, UdpSink } from "../helpers/udp.ts";
import type { Behaviour } from "../helpers/icmp-answer.ts";
import { checkFds } from "../helpers/leaks.ts";
import { made, ReflectorLab } from "../helpers/reflector-lab.ts";

checkFds();

const CONFIG: ProbeConfig = {
  modes: ["timestamp", "timestamp-rtt", "echo"],
  interval: 0.1,
  reflectors: 6,
  reselect: 900,
};
const KERNEL = { 4: "192.0.2.2", 6: "2001:db8:1::2" } as const;
/** A path of 20 ms, and a clock that is not ours. */
const USUAL: Behaviour = { up: 12, down: 8, offset: 5000 };

const listed = (addresses: readonly string[]): Reflector[] =>
  addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4, description: "" }));
const some = (count: number, behaviour = USUAL): Record<string, Behaviour> =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [made(i + 1), behaviour]));

/** A prober that keeps what it gave. */
class Bench implements AsyncDisposable {
  readonly prober: Prober;
  readonly samples: Judged[] = [];
  outstanding: Outstanding[] = [];

  constructor(
    lab: ReflectorLab,
    addresses: readonly string[],
    { config, ...options }: Partial<Omit<ProberOptions, "config">> & { readonly config?: Partial<ProbeConfig> } = {},
  ) {
    this.prober = new Prober({
      config: { ...CONFIG, ...config },
      name: "wan",
      clock: systemClock,
      random: Math.random,
      netns: lab.home,
      reflectors: listed(addresses),
      ...options,
    });
    this.prober.start();
  }

  /** Goes on until something holds, for 15 s at most. */
  async until(what: string, holds: () => boolean): Promise<void> {
    for (const deadline = performance.now() + 15_000; ; await sleep(20)) {
      const { samples, outstanding } = this.prober.take();
      this.samples.push(...samples);
      this.outstanding = outstanding;
      if (holds()) return;
      if (performance.now() < deadline) continue;
      assert.fail(`${what}: ${JSON.stringify([this.prober.usable, this.prober.counters, this.prober.table], null, 1)}`);
    }
  }

  /** Until all of them answer. */
  usable(): Promise<void> {
    return this.until("all are usable", () => this.prober.usable.reason === undefined);
  }

  /** Takes so many more samples. */
  async more(count: number): Promise<readonly Judged[]> {
    const from = this.samples.length;
    await this.until(`${count} more samples`, () => this.samples.length >= from + count);
    return this.samples.slice(from);
  }

  state(address: string): ReflectorState {
    return this.prober.table.find((state) => state.address === address)!;
  }

  /** What was refused of all, by reason. */
  refused(reason: string): number {
    return this.prober.table.reduce((sum, { refused }) => sum + (refused[reason] ?? 0), 0);
  }

  /** Asserts that no sample claims more delay than its round trip allows. */
  honest(samples: readonly Judged[], shortest: number): void {
    for (const { reflector, rtt, delta } of samples) {
      const grown = Math.max(0, rtt - shortest) + 3;
      const text = `${reflector}: ${JSON.stringify(delta)} of a round trip of ${rtt} ms, ${shortest} without queues`;
      assert.ok(delta.upload <= grown && delta.download <= grown, text);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.prober[Symbol.asyncDispose]();
  }
}

const mean = (numbers: readonly number[]): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;

describe("the kernel's answers", () => {
  it("are timestamps over IPv4 and echoes over IPv6", async () => {
    using lab = new ReflectorLab();
    await using bench = new Bench(lab, [KERNEL[4], KERNEL[6]]);
    await bench.usable();
    assert.equal(bench.state(KERNEL[4]).mode, "timestamp");
    assert.equal(bench.state(KERNEL[6]).mode, "echo");
    const samples = await bench.more(10);
    assert.deepEqual([...new Set(samples.map(({ reflector }) => reflector))].toSorted(), [KERNEL[4], KERNEL[6]]);
    for (const { owd, rtt, sent, received } of samples) {
      assert.ok(Math.abs(rtt - (received - sent) * 1000) < 0.001);
      assert.ok(Math.abs(owd.upload + owd.download - rtt) <= 1, "parts add up to the whole, but for the stamps' error");
    }
    assert.equal(bench.prober.deltas(systemClock.monotonic() / 1000).upload.length, 2);
    assert.deepEqual(bench.prober.counters.errors, {});
  });

  it("come to twenty links by one thread, each link's to itself", async () => {
    using lab = new ReflectorLab();
    await using owned = new AsyncDisposableStack();
    const benches = Array.from({ length: 20 }, () => owned.use(new Bench(lab, [KERNEL[4]])));
    for (const bench of benches) await bench.usable();
    assert.equal(waiter.size, 20);
    for (const bench of benches) {
      await bench.more(2);
      assert.deepEqual(bench.prober.counters, { errors: {}, refused: {} });
      assert.deepEqual(bench.state(KERNEL[4]).refused, {});
    }
  });
});

describe("queues", () => {
  it("are told by direction, and by every reflector", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect(some(6));
    await using bench = new Bench(lab, Object.keys(some(6)));
    await bench.usable();
    await bench.more(30);
    reflectors.set("*", { up: 72 });
    await bench.more(12);
    const late = await bench.more(18);
    for (const { delta } of late) assert.ok(delta.upload > 50, `${delta.upload} ms up, wanted 60`);
    assert.ok(mean(late.map(({ delta }) => delta.upload)) > mean(late.map(({ delta }) => delta.download)) + 40);
    const uploads = (): readonly number[] => bench.prober.deltas(systemClock.monotonic() / 1000).upload;
    await bench.until("the smoothed deltas follow", () => uploads().length === 6 && uploads()[0]! > 50);
    const upload = uploads();
    assert.deepEqual(
      upload,
      upload.toSorted((a, b) => a - b),
    );
  });
});

describe("a queue of the kernel's own", () => {
  it("is seen while it is there, in its direction", async () => {
    using lab = new ReflectorLab();
    using _sink = new UdpSink(lab.away);
    await using bench = new Bench(lab, [KERNEL[4]], { config: { interval: 0.05 } });
    await bench.usable();
    await bench.more(20);
    lab.home.run(() => execFileSync("tc", "qdisc add dev wan0 root tbf rate 1mbit burst 4kb limit 100kb".split(" ")));
    sendUdp(lab.home, prefixes(KERNEL[4])[0]!, { count: 70, size: 1000 });
    // 70 kB at 1 Mbit/s: 560 ms, which the next probe waits for, and each later one less.
    const late = await bench.more(8);
    const worst = late.toSorted((a, b) => b.rtt - a.rtt)[0]!;
    assert.ok(worst.rtt > 300 && worst.delta.upload > 250, `${worst.delta.upload} of ${worst.rtt} ms`);
    assert.ok(worst.delta.upload > 2 * worst.delta.download, `${worst.delta.download} ms down`);
    await bench.until("it is gone", () =>
      bench.prober.deltas(systemClock.monotonic() / 1000).upload.some((d) => d < 20),
    );
    assert.deepEqual([bench.refused("clock"), bench.state(KERNEL[4]).mode], [0, "timestamp"]);
  });
});

describe("silence", { concurrency: true }, () => {
  it("of all is said, leaves probes outstanding, and ends", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect(some(6));
    await using bench = new Bench(lab, Object.keys(some(6)));
    await bench.usable();
    reflectors.set("*", { silent: true });
    await bench.until("nobody answers", () =>
      /no reflector has answered for \d+ s/.test(bench.prober.usable.reason ?? ""),
    );
    assert.equal(bench.prober.usable.count, 0);
    assert.deepEqual(bench.prober.deltas(systemClock.monotonic() / 1000), { download: [], upload: [] });
    assert.ok(bench.outstanding.length > 20, `${bench.outstanding.length} outstanding`);
    assert.deepEqual(
      bench.outstanding,
      bench.outstanding.toSorted((a, b) => a.sent - b.sent),
    );
    for (const { baseline } of bench.outstanding) assert.ok(baseline! >= 19 && baseline! < 500, `${baseline}`);
    // It is the line's: nobody is replaced or blamed for it.
    for (const { asked, offences, address } of bench.prober.table)
      assert.ok(asked && offences === 0, `${address}: ${offences} offences`);
    reflectors.set("*", { silent: false });
    await bench.usable();
    assert.equal(bench.state(made(1)).mode, "timestamp");
    bench.honest(await bench.more(20), 20);
  });

  it("of timestamps makes it echoes, and says why", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(3, { ...USUAL, silent: "timestamp" }));
    await using bench = new Bench(lab, Object.keys(some(3)));
    await bench.usable();
    for (const { mode, reason } of bench.prober.table)
      assert.deepEqual([mode, reason], ["echo", "it does not answer timestamps"]);
    for (const { owd, rtt, mode } of await bench.more(6)) {
      assert.equal(mode, "echo");
      assert.deepEqual(owd, { download: rtt / 2, upload: rtt / 2 });
    }
    // What only timestamps would answer is not waited for.
    await bench.until("nothing is outstanding", () => bench.outstanding.length <= 1);
  });

  it("from the start on is said", async () => {
    using lab = new ReflectorLab();
    await using bench = new Bench(lab, [made(1), made(2)]);
    await bench.until("it is said", () =>
      /none of 2 reflectors has answered \d+ probes/.test(bench.prober.usable.reason!),
    );
    assert.equal(bench.state(made(1)).mode, undefined);
  });

  it("of one costs it its place", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect(some(4));
    await using bench = new Bench(lab, Object.keys(some(4)), { config: { reflectors: 3 } });
    await bench.until(
      "the first search is over",
      () => bench.prober.table.length === 4 && bench.prober.usable.count === 3,
    );
    await sleep(2000);
    const [first] = bench.prober.table;
    reflectors.set(first!.address, { silent: true });
    await bench.until("it is replaced", () => !bench.state(first!.address).asked);
    await bench.usable();
    const gone = bench.state(first!.address);
    assert.ok(gone.sent > gone.answered + 10 && gone.baseline, "what is known of it is kept");
  });
});

describe("lies", { concurrency: true }, () => {
  it("of half of them change nothing, and are found out", async () => {
    using lab = new ReflectorLab();
    const liars = [made(1), made(2), made(3)];
    await using _reflectors = await lab.reflect({
      ...some(6),
      ...Object.fromEntries(liars.map((address) => [address, { ...USUAL, stamps: "random" as const }])),
    });
    await using bench = new Bench(lab, Object.keys(some(6)));
    await bench.until("the liars are found out", () =>
      liars.every((address) => bench.state(address).mode === "timestamp-rtt"),
    );
    await bench.usable();
    await bench.more(30);
    bench.honest(bench.samples, 20);
    for (const address of liars) assert.equal(bench.state(address).reason, "its clock is set again and again");
    for (const address of [made(4), made(5), made(6)]) assert.equal(bench.state(address).mode, "timestamp");
  });

  const FAULTS = [
    ["zero", "zero-stamp", "its stamps are zero"],
    ["top-bit", "nonstandard-time", "its stamps are not in milliseconds of the day"],
    ["out-of-range", "stamp-range", "its stamps are no times of a day"],
    ["backwards", "hold", "its stamps do not fit the round trip"],
    ["copied", "copied", "it sends our own stamp back"],
  ] as const;
  it("in stamps make it round trips, and say why", async () => {
    using lab = new ReflectorLab();
    const behaviours = FAULTS.map(([stamps], i) => [made(i + 1), { ...USUAL, stamps }] as const);
    await using _reflectors = await lab.reflect(Object.fromEntries(behaviours));
    await using bench = new Bench(
      lab,
      behaviours.map(([address]) => address),
    );
    await bench.until("all are found out", () => bench.prober.table.every(({ mode }) => mode === "timestamp-rtt"));
    // What they were taken to see of queues, because others seemed to see some, is put right by then.
    await sleep(3000);
    await bench.more(1);
    bench.honest(await bench.more(20), 20);
    for (const [index, [, counter, reason]] of FAULTS.entries()) {
      const state = bench.state(made(index + 1));
      assert.equal(state.reason, reason);
      assert.ok(state.refused[counter]! >= 1, counter);
    }
  });

  it("leave nothing to go by where nothing but timestamps is wanted", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(1, { ...USUAL, stamps: "zero" }));
    await using bench = new Bench(lab, [made(1)], { config: { modes: ["timestamp"] } });
    await bench.until("it is said", () => bench.state(made(1)).mode === undefined);
    assert.equal(bench.state(made(1)).reason, "its stamps are zero");
    assert.equal(bench.prober.usable.count, 0);
  });
});

describe("answers that are none of ours", { concurrency: true }, () => {
  it("are counted by what is wrong with them", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect({
      [made(1)]: { ...USUAL, garble: "id" },
      [made(2)]: { ...USUAL, garble: "token" },
      [made(3)]: { ...USUAL, garble: "checksum" },
      [made(4)]: USUAL,
    });
    await using bench = new Bench(
      lab,
      [1, 2, 3, 4].map((index) => made(index)),
    );
    await bench.until("all were refused", () =>
      ["id", "token", "checksum"].every((reason) => bench.refused(reason) >= 4),
    );
    assert.equal(bench.prober.usable.count, 1);
    assert.equal(bench.prober.usable.reason, "1 of 4 reflectors answer");
    for (const { reflector } of bench.samples) assert.equal(reflector, made(4));
    assert.ok(bench.state(made(2)).refused["token"]! >= 4 && bench.state(made(2)).answered === 0);
    reflectors.set("*", { silent: true });
  });

  it("are doubles, which are counted and not believed", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(3, { ...USUAL, copies: 3 }));
    await using bench = new Bench(lab, Object.keys(some(3)));
    await bench.usable();
    const samples = await bench.more(30);
    const probes = samples.map(({ reflector, sent }) => `${reflector} ${sent}`);
    assert.equal(new Set(probes).size, probes.length, "no probe gives two samples");
    const answered = bench.prober.table.reduce((sum, state) => sum + state.answered, 0);
    await bench.until("both doubles of each", () => bench.refused("duplicate") >= 2 * answered);
  });

  it("are late ones", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(1, { up: 300, down: 300 }));
    // To a clock that is twenty times as fast they come after twelve seconds.
    const clock: Clock = {
      now: () => systemClock.now(),
      monotonic: () => milliseconds(20 * systemClock.monotonic()),
    };
    await using bench = new Bench(lab, [made(1)], { clock, config: { interval: 0.2 } });
    await bench.until("they are counted", () => bench.refused("late") >= 3);
    assert.deepEqual(bench.samples, []);
  });
});

describe("clocks", { concurrency: true }, () => {
  it("of all reflectors that are set by an hour are followed", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect(some(6));
    await using bench = new Bench(lab, Object.keys(some(6)));
    await bench.usable();
    for (const offset of [3_605_000, -3_595_000]) {
      await bench.more(30);
      reflectors.set("*", { offset });
      bench.honest(await bench.more(60), 20);
      const { upload, download } = bench.prober.deltas(systemClock.monotonic() / 1000);
      for (const delta of [...upload, ...download]) assert.ok(delta < 1000, `${delta} ms of delay that is not there`);
    }
    await bench.until("each was noticed", () => bench.refused("clock") >= 12);
    for (const { mode } of bench.prober.table) assert.equal(mode, "timestamp");
    // And what is told of queues afterwards is as good as before.
    reflectors.set("*", { down: 68 });
    await bench.more(12);
    const late = await bench.more(18);
    assert.ok(mean(late.map(({ delta }) => delta.download)) > mean(late.map(({ delta }) => delta.upload)) + 40);
  });

  it("of our own that are set by an hour are followed", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(6));
    let shift = 0;
    const clock: Clock = {
      now: () => milliseconds(systemClock.now() + shift),
      monotonic: () => systemClock.monotonic(),
    };
    await using bench = new Bench(lab, Object.keys(some(6)), { clock });
    await bench.usable();
    for (shift of [3_600_000, -3_600_000]) bench.honest(await bench.more(60), 20);
    for (const { mode } of bench.prober.table) assert.equal(mode, "timestamp");
  });

  it("go past midnight, theirs before ours", async () => {
    using lab = new ReflectorLab();
    // A day that ends in five seconds; some of theirs ended it already, some are behind.
    const shift = DAY - timeOfDay(Date.now()) - 5000;
    const clock: Clock = {
      now: () => milliseconds(systemClock.now() + shift),
      monotonic: () => systemClock.monotonic(),
    };
    const offsets = [shift + 700, shift - 700, shift];
    await using _reflectors = await lab.reflect(
      Object.fromEntries(offsets.map((offset, i) => [made(i + 1), { ...USUAL, offset }])),
    );
    await using bench = new Bench(lab, [made(1), made(2), made(3)], { clock });
    await bench.usable();
    const began = timeOfDay(clock.now());
    await bench.until("midnight is well past", () => timeOfDay(clock.now()) < DAY / 2 && timeOfDay(clock.now()) > 1500);
    assert.ok(began > DAY / 2, `it began at ${began} ms of the day`);
    bench.honest(bench.samples, 20);
    for (const { owd } of bench.samples) assert.ok(Math.abs(owd.upload) < 5000 && Math.abs(owd.download) < 5000);
    assert.equal(bench.refused("clock"), 0, "it was no step for anybody");
    for (const { mode } of bench.prober.table) assert.equal(mode, "timestamp");
  });
});

describe("the way out", { concurrency: true }, () => {
  it("may vanish with its interface, and come back", async () => {
    using lab = new ReflectorLab();
    await using bench = new Bench(lab, [KERNEL[4], KERNEL[6]], { config: { sourceInterface: "wan0" } });
    await bench.usable();
    lab.disconnect();
    await bench.until("it is said", () => /probes cannot be sent: .*\(E\w+\)/.test(bench.prober.usable.reason ?? ""));
    await bench.until("nobody answers", () => bench.prober.usable.count === 0);
    lab.connect();
    await bench.usable();
    assert.ok(Object.values(bench.prober.counters.errors).reduce((sum, count) => sum + count, 0) > 0);
  });

  it("may be missing at the start", async () => {
    using lab = new ReflectorLab();
    lab.disconnect();
    await using bench = new Bench(lab, [KERNEL[4]], { config: { sourceInterface: "wan0" } });
    await bench.until(
      "it is said",
      () => bench.prober.usable.reason === "probes cannot be sent: no such device (ENODEV)",
    );
    lab.connect();
    await bench.usable();
  });

  it("may have no route for a while", async () => {
    using lab = new ReflectorLab();
    await using _reflectors = await lab.reflect(some(3));
    await using bench = new Bench(lab, Object.keys(some(3)));
    await bench.usable();
    ip(lab.home, ["route del default"]);
    await bench.until("it is said", () => (bench.prober.usable.reason ?? "").includes("(ENETUNREACH)"));
    assert.ok(bench.prober.counters.errors["ENETUNREACH"]! > 0);
    ip(lab.home, ["route add default via 192.0.2.2"]);
    await bench.usable();
  });

  it("may be there for one family only: its reflectors are asked", async () => {
    using lab = new ReflectorLab();
    ip(lab.home, ["route del ::/0"]);
    await using _reflectors = await lab.reflect(some(4));
    const six = Array.from({ length: 20 }, (_, i) => made(i + 1, 6));
    await using bench = new Bench(lab, [...six, ...Object.keys(some(4))], {
      // The first ones would be of IPv6.
      config: { reflectors: 3, modes: ["echo"] },
      random: () => 0,
    });
    await bench.until("three of IPv4 answer", () => bench.prober.usable.count === 3);
    for (const { family } of bench.prober.table.filter(({ asked }) => asked)) assert.equal(family, 4);
  });
});

// By itself: while it holds, nothing else may enter a namespace.
describe("the right to ask", () => {
  it("may be missing: the remedy is told", async () => {
    await using prober = new Prober({
      config: CONFIG,
      name: "wan",
      clock: systemClock,
      random: Math.random,
      reflectors: listed(["127.0.0.1"]),
    });
    process.seteuid!(65_534);
    try {
      assert.throws(
        () => prober.start(),
        (error) =>
          error instanceof SluiceError &&
          error.code === "AUTORATE_PROBE_PERMISSION" &&
          error.message.includes("CAP_NET_RAW"),
      );
    } finally {
      process.seteuid!(0);
    }
  });
});

describe("the choice of reflectors", { concurrency: true }, () => {
  it("takes the nearest of a long list", async () => {
    using lab = new ReflectorLab();
    const near = some(12);
    const far = Object.fromEntries(Array.from({ length: 12 }, (_, i) => [made(100 + i), { up: 80, down: 80 }]));
    await using _reflectors = await lab.reflect({ ...near, ...far });
    await using bench = new Bench(lab, [...Object.keys(far), ...Object.keys(near)]);
    const chosen = (): readonly string[] =>
      bench.prober.table.filter(({ asked }) => asked).map(({ address }) => address);
    await bench.until("all are near", () => chosen().every((address) => address in near));
    await bench.usable();
    assert.equal(chosen().length, 6);
  });

  it("makes one search of many wishes", async () => {
    using lab = new ReflectorLab();
    const all = some(40);
    await using reflectors = await lab.reflect(all);
    await using bench = new Bench(lab, Object.keys(all), { config: { interval: 0.3 } });
    await bench.usable();
    await bench.until("the first search is over", () => bench.prober.table.length >= 26);
    await sleep(2000);
    const from = reflectors.counts;
    for (let i = 0; i < 100; i += 1) bench.prober.reselect();
    await sleep(3000);
    // Within the gap after the first one none begins: six are asked, three or four times a second.
    const asked = reflectors.counts.timestamp - from.timestamp;
    assert.ok(asked < 100, `${asked} probes in three seconds`);
  });
});

describe("a pause", () => {
  it("is quiet, and leaves everything as it was", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect(some(3));
    await using bench = new Bench(lab, Object.keys(some(3)));
    await bench.usable();
    bench.prober.pause();
    await sleep(100);
    await bench.until("all are answered", () => {
      const { timestamp, echo, answered } = reflectors.counts;
      return answered === timestamp + echo;
    });
    const { counts } = reflectors;
    await bench.until("it is said", () => bench.prober.usable.reason === "asking is paused while the line is idle");
    assert.deepEqual(bench.outstanding, []);
    await sleep(2500);
    assert.deepEqual(reflectors.counts, counts, "nobody was asked");
    assert.equal(bench.prober.usable.count, 0);
    bench.prober.resume();
    await bench.usable();
    for (const { mode, offences } of bench.prober.table) assert.deepEqual([mode, offences], ["timestamp", 0]);
  });
});
