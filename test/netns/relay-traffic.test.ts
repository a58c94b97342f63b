/** Traffic to measure by, between two namespaces: what the sink tells is what was done to it on the way. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { Netns } from "../../src/linux/netns.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";

checkFds();

const SLUICE = join(import.meta.dirname, "../../src/cli/main.ts");

/** Longer than a generator takes to start on a busy machine, s: a sink that has heard somebody else waits for it. */
const IDLE = "4";
const MAC = "02:00:00:00:00:02";

/** The route of ff00::/8. */
const GROUPS = /^ff0{30} 08 .* (?:g0|s0)$/m;

/** What a sink says of a stream. */
interface Came {
  readonly place: string;
  readonly stream: number;
  readonly packets: number;
  readonly bytes: number;
  readonly lost: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly delayMicroseconds: { readonly p50: number; readonly max: number };
}

/** What it says in all. */
interface SinkSaid {
  readonly streams: readonly Came[];
  readonly places: readonly { readonly others: number }[];
}

/** What a generator says. */
interface GeneratorSaid {
  readonly streams: readonly { readonly packets: number; readonly errors: number; readonly unsent: number }[];
}

async function outcome(child: ChildProcess & { readonly stdout: Readable }) {
  const ended = once(child, "close") as Promise<[number]>;
  const said = await text(child.stdout);
  return { status: (await ended)[0], said };
}

/** A sender with `g0`, and a receiver with `s0`. */
class Bed implements Disposable {
  readonly sender = Netns.create();
  readonly receiver = Netns.create();

  private constructor() {
    ip(this.sender, [
      `link add g0 type veth peer name s0 address ${MAC} netns ${this.receiver.path}`,
      "addr add 10.9.0.1/24 dev g0",
      "addr add fd00::1/64 dev g0 nodad",
      "link set g0 up",
      // Whoever must be asked for first keeps few datagrams waiting, and loses the others.
      `neigh add 10.9.0.2 lladdr ${MAC} dev g0`,
    ]);
    ip(this.receiver, ["addr add 10.9.0.2/24 dev s0", "addr add fd00::2/64 dev s0 nodad", "link set s0 up"]);
  }

  static async make(): Promise<Bed> {
    using owned = new DisposableStack();
    const bed = owned.use(new Bed());
    // A link that has just come up takes in no IPv6 of groups: its route for them comes up to a second later.
    await eventually(() => {
      for (const ns of [bed.sender, bed.receiver])
        assert.match(
          ns.run(() => readFileSync("/proc/thread-self/net/ipv6_route", "latin1")),
          GROUPS,
        );
    });
    owned.move();
    return bed;
  }

  /** Frames that have left the sender. */
  left(): number {
    const devices = this.sender.run(() => readFileSync("/proc/thread-self/net/dev", "latin1"));
    // Eight columns of what came, then bytes and packets of what left.
    return Number(/^ *g0:(?: +\d+){9} +(\d+)/m.exec(devices)![1]);
  }

  generate(...args: readonly string[]) {
    return outcome(this.generating(...args));
  }

  /** A generator that runs. */
  generating(...args: readonly string[]) {
    const command = [SLUICE, "relay", "generate", "--json", "--netns", this.sender.path, ...args];
    return spawn(process.execPath, command, { stdio: ["ignore", "pipe", "inherit"] });
  }

  /** Starts a sink, and gives what it says in the end. */
  async sink(...places: readonly string[]) {
    const command = [SLUICE, "relay", "sink", "--json", "--idle", IDLE, "--netns", this.receiver.path, ...places];
    const child = spawn(process.execPath, command, { stdio: ["ignore", "pipe", "pipe"] });
    const ended = outcome(child);
    await once(child.stderr, "data");
    return async () => {
      const { status, said } = await ended;
      const { streams, places: sockets } = JSON.parse(said) as SinkSaid;
      return { status, came: streams, others: sockets[0]!.others };
    };
  }

  [Symbol.dispose](): void {
    this.sender[Symbol.dispose]();
    this.receiver[Symbol.dispose]();
  }
}

test("every datagram of every stream arrives, of either IP version, at groups and at hosts", async () => {
  using bed = await Bed.make();
  const at = (device: string) => [`239.1.1.1:5000@${device}`, `[ff3e::1]:5001@${device}`, `10.9.0.2:5002@${device}`];
  const result = await bed.sink(...at("s0"));
  const sent = await bed.generate("--rate", "5k", "--packets", "2000", "--size", "200", ...at("g0"));
  assert.equal(sent.status, 0, sent.said);
  const { status, came } = await result();
  assert.equal(status, 0);
  assert.deepEqual(
    came.map(({ place, stream, packets, bytes, lost, duplicates, reordered }) => [
      place,
      stream,
      packets,
      bytes,
      lost,
      duplicates,
      reordered,
    ]),
    at("s0").map((place, stream) => [place, stream, 2000, 400_000, 0, 0, 0]),
  );
  for (const { delayMicroseconds } of came) assert.ok(delayMicroseconds.p50 > 0 && delayMicroseconds.p50 < 1e6);
  assert.deepEqual(
    (JSON.parse(sent.said) as GeneratorSaid).streams.map(({ packets, errors }) => [packets, errors]),
    at("g0").map(() => [2000, 0]),
  );
});

test("who begins to listen late is told how many were missed", async () => {
  using bed = await Bed.make();
  const sent = bed.generate("--rate", "1k", "--packets", "6000", "239.1.1.1:5000@g0");
  await eventually(() => assert.ok(bed.left() > 200), 20_000);
  const { status, came } = await (await bed.sink("239.1.1.1:5000@s0"))();
  assert.equal(status, 1);
  const [{ packets, lost, duplicates }] = came as [Came];
  assert.ok(lost > 100 && packets > 100, `${packets} came, ${lost} lost`);
  assert.deepEqual([packets + lost, duplicates], [6000, 0]);
  assert.equal((await sent).status, 0);
});

test("datagrams of others are told apart, and two generators from each other", async () => {
  using bed = await Bed.make();
  const result = await bed.sink("10.9.0.2:5000@s0");
  const all = Promise.all([
    bed.generate("--rate", "5", "--packets", "10", "--size", "32", "10.9.0.2:5000@g0"),
    bed.generate("--rate", "10", "--packets", "20", "--size", "9000", "10.9.0.2:5000@g0"),
  ]);
  const send = "exec 3<>/dev/udp/10.9.0.2/5000; echo hello >&3";
  bed.sender.run(() => spawnSync("bash", ["-c", send]));
  for (const { status, said } of await all) assert.equal(status, 0, said);
  const { came, others } = await result();
  assert.equal(others, 1);
  assert.deepEqual(
    came.map(({ packets, bytes }) => [packets, bytes]).toSorted((a, b) => a[0]! - b[0]!),
    [
      [10, 320],
      [20, 180_000],
    ],
  );
});

test("who is interrupted says how many it had announced and did not send", async () => {
  using bed = await Bed.make();
  const arrived = await bed.sink("239.1.1.1:5000@s0");
  const child = bed.generating("--rate", "1k", "--packets", "100000", "239.1.1.1:5000@g0");
  const ended = outcome(child);
  await eventually(() => assert.ok(bed.left() > 200), 20_000);
  child.kill("SIGINT");
  const { status, said } = await ended;
  const { packets, unsent } = (JSON.parse(said) as GeneratorSaid).streams[0]!;
  assert.ok(packets > 0 && unsent > 0 && status !== 0, said);
  assert.equal(packets + unsent, 100_000);
  const { came } = await arrived();
  assert.deepEqual([came[0]!.packets, came[0]!.lost], [packets, unsent]);
});

test("what cannot be is refused before anything is sent, with what would be right", async () => {
  using bed = await Bed.make();
  const place = "239.1.1.1:5000@g0";
  for (const [args, wanted, status] of [
    [["239.1.1.1@g0"], /wanted ADDRESS:PORT@INTERFACE/, 64],
    [[place, "--rate", "fast"], /wanted packets a second/, 64],
    [[place, "--size", "8", "--ttl", "0"], /from 32 to 65507[^]*from 1 to 255/, 64],
    [[place, "--source", "fd00::1"], /another IP version/, 64],
    [[place, "--source", "10.9.0.77"], /EADDRNOTAVAIL/, 1],
    [["239.1.1.1:5000@nope"], /there is no interface/, 1],
  ] as const) {
    const result = await bed.generate(...args);
    assert.match(result.said, wanted);
    assert.equal(result.status, status, result.said);
  }
});
