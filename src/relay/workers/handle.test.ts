/** The state machine on a clock of its own. The worker is in this process: its session is the real one, its plane is not. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { eventually } from "../../../test/helpers/eventually.ts";
import { isOpen } from "../../../test/helpers/is-open.ts";
import { checkFds } from "../../../test/helpers/leaks.ts";
import { ManualTimers } from "../../../test/helpers/manual-timers.ts";
import { planeOutput, planeRule } from "../../../test/helpers/plane-rules.ts";
import { StubPlane, StubRing } from "../../../test/helpers/stub-plane.ts";
import { Channel } from "../../linux/channel.ts";
import { Fd } from "../../linux/fd.ts";
import type { PlaneRule } from "../model.ts";
import { cellsFor } from "../worker/cells.ts";
import { Session } from "../worker/session.ts";
import { RelayWorker, type WorkerStatus } from "./handle.ts";
import type { Launched, LaunchOptions } from "./launch.ts";

checkFds();

const SLOTS = 16;

/** A worker's process that is none. */
class FakeProcess implements Launched {
  readonly pid: number;
  readonly channel: Channel;
  readonly ended: Promise<string>;
  readonly killed: string[] = [];
  readonly theirs: Channel;
  readonly plane = new StubPlane();
  session: Session<StubRing> | undefined;
  readonly #end = Promise.withResolvers<string>();
  readonly #numbers: Float64Array;
  readonly #timers: ManualTimers;

  constructor(pid: number, { memory }: LaunchOptions, timers: ManualTimers) {
    this.pid = pid;
    [this.channel, this.theirs] = Channel.pair();
    this.ended = this.#end.promise;
    this.#numbers = memory.numbers;
    this.#timers = timers;
  }

  /** It says that it is there. */
  comeUp(): void {
    this.session = new Session<StubRing>({
      channel: this.theirs,
      numbers: this.#numbers,
      cells: cellsFor(SLOTS),
      openRing: (fd, layout) => new StubRing(fd, layout),
      openPlane: () => this.plane,
      now: () => this.#timers.now(),
    });
  }

  /** It goes round once. */
  turn(): void {
    if (this.session?.turn() !== false) return;
    this.session.finish();
    this.end("it ended with code 0");
  }

  end(how: string): void {
    if (!this.theirs.ended) this.session?.[Symbol.dispose]();
    this.session = undefined;
    this.theirs[Symbol.dispose]();
    this.#end.resolve(how);
  }

  kill(signal: string): void {
    this.killed.push(signal);
    this.end(`it was ended by ${signal}`);
  }
}

class Lab {
  readonly timers = new ManualTimers();
  readonly processes: FakeProcess[] = [];
  readonly worker: RelayWorker;
  /** How often a ring died. */
  dead = 0;
  /** Keys of those that are wanted. */
  rings: readonly string[] = ["a"];
  /** Why none can be opened. */
  closed: string | undefined;
  /** What was done with rings. */
  done: string[] = [];
  /** Devices of the sockets that were opened. */
  opened: string[] = [];
  /** Those that cannot be. */
  refuse = new Set<string>();

  constructor(t: TestContext) {
    this.worker = new RelayWorker({
      name: "eth0",
      slots: SLOTS,
      timers: this.timers,
      rings: () =>
        this.rings.map((key) => ({
          key,
          layout: key,
          open: () => {
            if (this.closed !== undefined) throw new Error(this.closed);
            this.done.push(`open ${key}`);
            return Fd.open("/dev/null");
          },
          start: () => void this.done.push(`start ${key}`),
          admit: () => void this.done.push(`admit ${key}`),
        })),
      provide: ({ outputs }) =>
        outputs.map(({ device }) => ({ key: device, kind: "udp", open: () => this.open(device) })),
      dead: () => (this.dead += 1),
      launch: (options) => {
        const process = new FakeProcess(100 + this.processes.length, options, this.timers);
        this.processes.push(process);
        return process;
      },
    });
    t.after(async () => {
      const stopped = this.worker[Symbol.asyncDispose]();
      this.process.kill("SIGKILL");
      await stopped;
      assert.equal(this.timers.pending, 0, "timers are left");
    });
  }

  open(device: string): Fd | undefined {
    if (this.refuse.has(device)) return undefined;
    this.opened.push(device);
    return Fd.open("/dev/null");
  }

  get process(): FakeProcess {
    return this.processes.at(-1)!;
  }

  get plane(): StubPlane {
    return this.process.plane;
  }

  /** Goes on, both sides, until something is so. */
  until<T>(body: () => T): Promise<T> {
    return eventually(() => {
      if (this.process.session) this.process.turn();
      return body();
    });
  }

  state(wanted: WorkerStatus["state"]): Promise<void> {
    return this.until(() => assert.equal(this.worker.status.state, wanted, JSON.stringify(this.worker.status)));
  }

  reason(wanted: string): Promise<void> {
    return eventually(() => assert.equal(this.worker.status.reason, wanted));
  }

  async run(...rules: readonly PlaneRule[]): Promise<void> {
    for (const rule of rules) this.worker.setRule(rule);
    this.worker.start();
    this.process.comeUp();
    await this.state("running");
  }

  /** Whether the worker has acknowledged what it was told. */
  async synced(): Promise<boolean> {
    let result: boolean | undefined;
    void this.worker.sync().then((value) => (result = value));
    return this.until(() => {
      assert.notEqual(result, undefined);
      return result!;
    });
  }

  /** Lets time pass while the worker goes round. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 500) {
      this.timers.advance(500);
      this.process.turn();
    }
  }

  /** The worker dies, and so does every one after it as soon as it has run for so long: the waits in between. */
  async deaths(count: number, uptime: number): Promise<number[]> {
    const waits: number[] = [];
    for (let i = 0; i < count; i += 1) {
      this.pass(uptime);
      this.process.end("it died");
      await this.state("restarting");
      const { backoff, reason, restarts } = this.worker.status;
      assert.equal(reason, "it died");
      assert.equal(restarts, i);
      waits.push(backoff!);
      const before = this.processes.length;
      if (backoff! > 0) {
        this.timers.advance(backoff! - 1);
        assert.equal(this.processes.length, before);
      }
      this.timers.advance(1);
      await eventually(() => assert.equal(this.processes.length, before + 1));
      this.process.comeUp();
      await this.state("running");
    }
    return waits;
  }
}

test("a worker is given its rings and rules, and what changes of them", async (t) => {
  const lab = new Lab(t);
  assert.equal(lab.worker.status.state, "starting");
  assert.equal(await lab.worker.sync(), false);
  await lab.run(planeRule({ id: "1" }), planeRule({ id: "2" }));
  assert.deepEqual([lab.worker.status.pid, lab.worker.status.restarts], [100, 0]);
  assert.equal(lab.plane.rings.length, 1);
  assert.deepEqual([...lab.plane.rules.keys()], ["1", "2"]);
  const changed = planeRule({ id: "2", outputs: [planeOutput(), planeOutput({ slot: 5 })] });
  lab.worker.setRule(changed);
  lab.worker.removeRule("1");
  lab.worker.removeRule("none");
  assert.equal(await lab.synced(), true);
  assert.deepEqual([...lab.plane.rules.values()], [changed]);
});

test("many rules, and one of many outputs, are given in parts", async (t) => {
  const lab = new Lab(t);
  const rules = Array.from({ length: 300 }, (_, i) => planeRule({ id: `${i}` }));
  const large = planeRule({ id: "large", outputs: Array.from({ length: 450 }, (_, slot) => planeOutput({ slot })) });
  for (const rule of [...rules, large]) lab.worker.setRule(rule);
  lab.worker.start();
  lab.process.comeUp();
  await eventually(() => {
    lab.timers.advance(5);
    lab.process.turn();
    assert.equal(lab.worker.status.state, "running");
  });
  assert.equal(lab.plane.rules.size, 301);
  assert.deepEqual(lab.plane.rules.get("large"), large);
});

test("29: after a death the first start is at once, the next wait from 250 ms to 16 s", async (t) => {
  const lab = new Lab(t);
  await lab.run(planeRule());
  assert.deepEqual(await lab.deaths(10, 0), [0, 250, 500, 1000, 2000, 4000, 8000, 16_000, 16_000, 16_000]);
  assert.deepEqual([...lab.plane.rules.values()], [planeRule()]);
});

test("29: a worker that ran for 10 s begins anew with its waits", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  assert.deepEqual(await lab.deaths(3, 9500), [0, 250, 500]);
  const other = new Lab(t);
  await other.run();
  assert.deepEqual(await other.deaths(3, 10_000), [0, 0, 0]);
});

test("a worker that does not come up is ended", async (t) => {
  const lab = new Lab(t);
  lab.worker.start();
  lab.timers.advance(9999);
  assert.deepEqual(lab.process.killed, []);
  lab.timers.advance(1);
  await lab.reason("it was not ready within 10 s");
});

test("each that does not come up gives the next one twice as long, up to 160 s", async (t) => {
  const lab = new Lab(t);
  lab.worker.start();
  for (const [lives, seconds] of [10, 20, 40, 80, 160, 160].entries()) {
    await eventually(() => assert.equal(lab.processes.length, lives + 1));
    lab.timers.advance(seconds * 1000 - 1);
    assert.deepEqual(lab.process.killed, []);
    lab.timers.advance(1);
    await lab.reason(`it was not ready within ${seconds} s`);
    await lab.state("restarting");
    lab.timers.advance(lab.worker.status.backoff!);
  }
  await eventually(() => assert.equal(lab.processes.length, 7));
  lab.process.comeUp();
  await lab.state("running");
  lab.process.end("it died");
  await lab.state("restarting");
  lab.timers.advance(lab.worker.status.backoff!);
  await eventually(() => assert.equal(lab.processes.length, 8));
  lab.timers.advance(10_000);
  await lab.reason("it was not ready within 10 s");
});

test("a worker that does not acknowledge its rules is ended, and who waits is told", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  const synced = lab.worker.sync();
  lab.timers.advance(5000);
  assert.equal(await synced, false);
  await lab.reason("it did not acknowledge its rules within 5 s");
  assert.deepEqual(lab.processes[0]!.killed, ["SIGKILL"]);
});

test("a worker that hangs is seen without asking it anything", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  lab.pass(60_000);
  assert.deepEqual(lab.process.killed, []);
  lab.timers.advance(7000);
  await lab.reason("it hangs");
});

test("a worker that says what is no report is ended", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  lab.process.theirs.send({ kind: "nonsense" });
  await eventually(() =>
    assert.match(lab.worker.status.reason ?? "", /cannot be understood: unknown report "nonsense"/),
  );
});

test("a worker that closes its channel and stays is ended", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  lab.process.session?.[Symbol.dispose]();
  lab.process.session = undefined;
  lab.process.theirs[Symbol.dispose]();
  await eventually(() => {
    lab.timers.advance(100);
    assert.match(lab.worker.status.reason ?? "", /closed its channel/);
  });
});

test("a worker with other rules than it was told is told again, and ended when that does not help", async (t) => {
  const lab = new Lab(t);
  await lab.run(planeRule({ id: "1" }));
  const lie = { kind: "ack", hash: "0000000000000000", count: 7 };
  const synced = lab.worker.sync();
  lab.process.theirs.send({ ...lie, number: 2 });
  // Its own answer to this question comes too late; the one to the next is right.
  assert.equal(await lab.until(() => lab.plane.rules.size), 1);
  let result: boolean | undefined;
  void synced.then((value) => (result = value));
  await lab.until(() => assert.equal(result, true));
  assert.deepEqual(lab.process.killed, []);

  const again = lab.worker.sync();
  lab.process.theirs.send({ ...lie, number: 4 });
  lab.process.theirs.send({ ...lie, number: 5 });
  assert.equal(await again, false);
  await lab.reason("it has other rules than it was told");
});

test("rules are compared every 5 minutes", async (t) => {
  const lab = new Lab(t);
  await lab.run(planeRule());
  const asked = (): boolean => {
    lab.timers.advance(0);
    const received = lab.process.theirs.receive();
    return (received?.message as { kind?: string } | undefined)?.kind === "sync";
  };
  lab.pass(299_000);
  assert.equal(asked(), false);
  lab.timers.advance(1000);
  assert.equal(asked(), true);
});

test("rules share sockets, and each life has its own", async (t) => {
  const lab = new Lab(t);
  const rule = (id: string, ...devices: string[]) =>
    planeRule({ id, outputs: devices.map((device, slot) => planeOutput({ device, slot })) });
  lab.refuse.add("o3");
  await lab.run(rule("1", "o1", "o2"), rule("2", "o2", "o3"));
  assert.deepEqual(lab.opened, ["o1", "o2"]);
  const numbers = (id: string) => lab.plane.sockets.get(id)!.map(({ fd }) => fd);
  const [o1, o2] = numbers("1");
  assert.deepEqual(numbers("2"), [o2, -1]);

  // One that could not be opened is tried again, and nothing else is touched.
  lab.timers.advance(1000);
  assert.equal(await lab.synced(), true);
  lab.timers.advance(999);
  lab.refuse.clear();
  assert.equal(await lab.synced(), true);
  assert.equal(numbers("2")[1], -1);
  lab.timers.advance(1);
  assert.equal(await lab.synced(), true);
  assert.deepEqual(lab.opened.splice(0), ["o1", "o2", "o3"]);
  const [, o3] = numbers("2");
  assert.deepEqual([numbers("1"), numbers("2")[0]], [[o1, o2], o2]);
  assert.notEqual(o3, -1);

  lab.worker.removeRule("1");
  assert.equal(await lab.synced(), true);
  assert.deepEqual([o1!, o2!, o3!].map(isOpen), [false, true, true]);

  lab.process.end("it died");
  await lab.state("restarting");
  lab.timers.advance(0);
  await eventually(() => assert.equal(lab.processes.length, 2));
  lab.process.comeUp();
  await lab.state("running");
  assert.deepEqual(lab.opened, ["o2", "o3"]);
});

test("without its ring a worker is tried again, at once when the interface is back", async (t) => {
  const lab = new Lab(t);
  lab.closed = "no such interface";
  lab.worker.start();
  for (const wait of [0, 250, 500, 1000]) {
    await eventually(() => assert.equal(lab.worker.status.backoff, wait));
    assert.equal(lab.worker.status.reason, "no such interface");
    if (wait < 1000) lab.timers.advance(wait);
  }
  assert.equal(lab.processes.length, 0);
  lab.closed = undefined;
  lab.worker.useRings(true);
  await eventually(() => assert.equal(lab.processes.length, 1));
  lab.process.comeUp();
  await lab.state("running");
});

test("other rings take the place of those that are wanted no more, and the rest go on untouched", async (t) => {
  const lab = new Lab(t);
  lab.rings = ["a", "b"];
  await lab.run(planeRule());
  assert.deepEqual(lab.done.splice(0), ["open a", "open b", "start a", "start b"]);
  const [a] = lab.plane.rings;
  lab.rings = ["c", "a", "d"];
  lab.worker.useRings(false);
  assert.deepEqual(lab.done.splice(0), ["open c", "open d", "start c", "admit a", "start d"]);
  assert.equal(await lab.synced(), true);
  assert.deepEqual(lab.plane.rings.map(({ layout }) => layout).toSorted(), ["a", "c", "d"]);
  assert.ok(lab.plane.rings.includes(a!));
});

test("a ring that died is told of, and opened anew when that is asked for, as often as it takes", async (t) => {
  const lab = new Lab(t);
  await lab.run(planeRule());
  const [first] = lab.plane.rings;
  lab.plane.dead.add(first!);
  await lab.until(() => assert.equal(lab.dead, 1));
  lab.closed = "still away";
  lab.worker.useRings(true);
  assert.equal(await lab.synced(), true);
  assert.deepEqual(lab.plane.rings, [first]);
  lab.timers.advance(999);
  lab.closed = undefined;
  lab.done = [];
  lab.rings = ["a", "b"];
  assert.deepEqual(lab.done, []);
  lab.timers.advance(1);
  assert.deepEqual(lab.done, ["open a", "open b", "start a", "start b"]);
  await lab.until(() => assert.equal(lab.plane.rings.length, 2));
  assert.ok(!lab.plane.rings.includes(first!));
  assert.deepEqual([...lab.plane.rules.values()], [planeRule()]);
  lab.worker.useRings(false);
  assert.deepEqual(lab.done.slice(4), ["admit a", "admit b"]);
  assert.equal(await lab.synced(), true);
});

test("it tells of the last packets, in time or not at all", async (t) => {
  const lab = new Lab(t);
  assert.deepEqual(await lab.worker.trace("x", 3), []);
  await lab.run();
  let answer: readonly unknown[] | undefined;
  void lab.worker.trace("x", 3).then((packets) => (answer = packets));
  await lab.until(() => assert.equal(answer?.length, 1));
  const late = lab.worker.trace("x", 3);
  lab.timers.advance(5000);
  assert.deepEqual(await late, []);
});

test("it is stopped in order, and told what it did", async (t) => {
  const lab = new Lab(t);
  await lab.run(planeRule());
  lab.worker.counters[0] = 12;
  let final: unknown;
  void lab.worker.stop().then((report) => (final = report));
  assert.equal(lab.worker.status.state, "stopping");
  await lab.until(() => assert.equal((final as { packets: number }).packets, 12));
  assert.deepEqual(lab.process.killed, []);
  assert.equal(lab.processes.length, 1);
  lab.worker.start();
  assert.equal(lab.processes.length, 1);
});

test("it is stopped while it hangs, and while it waits to be started", async (t) => {
  const lab = new Lab(t);
  await lab.run();
  const stopped = lab.worker.stop();
  for (let i = 0; i < 10; i += 1) lab.timers.advance(1000);
  assert.equal(await stopped, undefined);
  assert.deepEqual(lab.process.killed, ["SIGKILL"]);

  const other = new Lab(t);
  await other.run();
  await other.deaths(1, 0);
  other.process.end("it died");
  await other.state("restarting");
  assert.equal(await other.worker.stop(), undefined);
  assert.equal(other.processes.length, 2);
});
