/** Raw ICMP sockets on the real kernel: what it answers by itself, and what reflectors answer that lie. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ip } from "../../demo/lab.ts";
import { SystemError } from "../../src/linux/errno.ts";
import { dayDifference, decodeReply, encodeRequest, type IcmpReply, timeOfDay } from "../../src/linux/icmp/codec.ts";
import { type IcmpOptions, IcmpSocket } from "../../src/linux/icmp/socket.ts";
import { encodeSockaddr } from "../../src/linux/icmp/sockaddr.ts";
import { waiter } from "../../src/linux/waiter.ts";
import { checkFds } from "../helpers/leaks.ts";
import { eventually } from "../helpers/eventually.ts";
import { made, ReflectorLab } from "../helpers/reflector-lab.ts";

checkFds();

const ID = 0x4711;

/** What came in at a socket: the reply or the reason why it is none. */
interface Heard {
  readonly from: string;
  readonly read: IcmpReply | string;
  readonly age: number;
}

/** A socket that keeps all it hears. */
class Ear implements Disposable {
  readonly heard: Heard[] = [];
  readonly socket: IcmpSocket;
  readonly #watch: Disposable;

  constructor(options: Omit<IcmpOptions, "id"> & { readonly id?: number }) {
    const whole = { id: ID, ...options };
    this.socket = IcmpSocket.open(whole);
    this.#watch = waiter.watch(this.socket.fd, () =>
      this.socket.receive(({ from, packet, age }) => {
        this.heard.push({ from, read: decodeReply(whole.family, packet, whole.id), age });
      }),
    );
  }

  ask(to: string, kind: "timestamp" | "echo", sequence: number, token = 1, id = ID): void {
    const { family } = this.socket;
    this.socket.send(encodeSockaddr(to), encodeRequest({ family, kind, id, sequence, token }));
  }

  /** What was heard once there is so much of it. */
  hears(count: number): Promise<readonly Heard[]> {
    return eventually(() => {
      assert.ok(this.heard.length >= count, `${this.heard.length} of ${count} answers`);
      return this.heard;
    });
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
    this.socket[Symbol.dispose]();
  }
}

describe("a raw ICMP socket", () => {
  it("gets timestamps and echoes of the kernel, and its answers only", async () => {
    using lab = new ReflectorLab();
    using ear = new Ear({ family: 4, netns: lab.home });
    const token = Math.floor(timeOfDay(Date.now()));
    ear.ask("192.0.2.2", "timestamp", 1, token);
    ear.ask("192.0.2.2", "echo", 2, 77);
    // To itself it would hear its own requests as well, but for the filter by type.
    ear.ask("192.0.2.1", "timestamp", 3, token);
    const heard = await ear.hears(3);
    assert.deepEqual(
      heard.map(({ from, read }) => [from, typeof read === "string" ? read : `${read.kind} ${read.sequence}`]),
      [
        ["192.0.2.2", "timestamp 1"],
        ["192.0.2.2", "echo 2"],
        ["192.0.2.1", "timestamp 3"],
      ],
    );
    const stamp = heard[0]!.read as IcmpReply & { kind: "timestamp" };
    assert.equal(stamp.token, token);
    assert.equal(stamp.receive, stamp.transmit);
    assert.ok(Math.abs(dayDifference(stamp.receive, token)) < 3000, `${stamp.receive} against ${token}`);
    assert.equal((heard[1]!.read as IcmpReply).token, 77);
    for (const { age } of heard) assert.ok(age >= 0 && age < 3000, `an answer ${age} ms old`);
  });

  it("gets echoes over IPv6", async () => {
    using lab = new ReflectorLab();
    using ear = new Ear({ family: 6, netns: lab.home });
    ear.ask("2001:db8:1::2", "echo", 65_535, 2 ** 32 - 1);
    const [first] = await ear.hears(1);
    assert.deepEqual(first!.read, { kind: "echo", sequence: 65_535, token: 2 ** 32 - 1 });
    assert.equal(first!.from, "2001:db8:1::2");
  });

  it("does not hear its sisters, but hears strangers", async () => {
    using lab = new ReflectorLab();
    for (const family of [4, 6] as const) {
      using ear = new Ear({ family, netns: lab.home });
      using sister = new Ear({ family, netns: lab.home, id: ID ^ 1 });
      const to = family === 4 ? "192.0.2.2" : "2001:db8:1::2";
      sister.ask(to, "echo", 1, 1, ID ^ 1);
      sister.ask(to, "echo", 2, 1, 0x0815);
      ear.ask(to, "echo", 3);
      const read = (heard: readonly Heard[]): unknown =>
        heard.map(({ read: reply }) => (typeof reply === "string" ? reply : reply.sequence));
      assert.deepEqual(read(await ear.hears(2)), ["id", 3]);
      assert.deepEqual(read(await sister.hears(2)), [1, "id"]);
    }
  });

  it("leaves by the interface, from the address and with the mark that it is told", async () => {
    using lab = new ReflectorLab();
    ip(lab.home, [
      "link add other type veth peer name another",
      "addr add 203.0.113.1/24 dev other",
      "link set other up",
    ]);
    ip(lab.home, ["link set another up", "route add 198.51.100.0/24 dev other", "addr add 192.0.2.9/24 dev wan0"]);
    await using reflectors = await lab.reflect({ [made(1)]: {} });
    using plain = new Ear({ family: 4, netns: lab.home });
    plain.ask(made(1), "echo", 1);
    using bound = new Ear({ family: 4, netns: lab.home, device: "wan0", source: "192.0.2.9" });
    bound.ask(made(1), "echo", 2);
    assert.equal((await bound.hears(1))[0]!.from, made(1));
    // The rule sends marked packets by another table.
    ip(lab.home, ["route add default via 192.0.2.2 table 7", "rule add fwmark 0x2a lookup 7 priority 1"]);
    using marked = new Ear({ family: 4, netns: lab.home, mark: 42 });
    marked.ask(made(1), "echo", 3);
    assert.equal((await marked.hears(1))[0]!.from, made(1));
    assert.equal(reflectors.counts.echo, 2, "the plain one went out by the other interface");
  });

  it("says what the kernel says", () => {
    using lab = new ReflectorLab();
    const code = (body: () => unknown): string => {
      try {
        body();
      } catch (error) {
        if (error instanceof SystemError) return error.code;
        throw error;
      }
      return "none";
    };
    assert.equal(
      code(() => IcmpSocket.open({ family: 4, id: ID, netns: lab.home, device: "nowhere" })),
      "ENODEV",
    );
    assert.equal(
      code(() => IcmpSocket.open({ family: 4, id: ID, netns: lab.home, source: "203.0.113.1" })),
      "EADDRNOTAVAIL",
    );
    using ear = new Ear({ family: 4, netns: lab.home, device: "wan0" });
    ip(lab.home, ["route del default"]);
    assert.equal(
      code(() => ear.ask(made(1), "echo", 1)),
      "none",
      "without a route the device itself is asked",
    );
    lab.disconnect();
    assert.match(
      code(() => ear.ask("192.0.2.2", "echo", 1)),
      /ENODEV|ENETUNREACH|ENXIO/,
    );
    lab.connect();
    assert.match(
      code(() => ear.ask("192.0.2.2", "echo", 1)),
      /ENODEV|ENETUNREACH|ENXIO/,
      "of the old interface for ever",
    );
  });
});

describe("a reflector of the lab", () => {
  it("answers with the delays, clock and faults it is told", async () => {
    using lab = new ReflectorLab();
    await using reflectors = await lab.reflect({
      [made(1)]: { up: 30, down: 10, offset: 3_600_000, hold: 5 },
      [made(2)]: { silent: "timestamp", copies: 2 },
      [made(3)]: { garble: "id" },
      [made(4)]: { garble: "checksum" },
      [made(5)]: { stamps: "top-bit" },
      [made(1, 6)]: { down: 20 },
    });
    using four = new Ear({ family: 4, netns: lab.home });
    using six = new Ear({ family: 6, netns: lab.home });
    const sent = performance.now();
    const token = Math.floor(timeOfDay(Date.now()));
    for (const index of [1, 2, 3, 4, 5]) four.ask(made(index), "timestamp", index, token);
    four.ask(made(2), "echo", 22);
    six.ask(made(1, 6), "echo", 6);
    assert.equal((await six.hears(1))[0]!.from, made(1, 6));
    assert.ok(performance.now() - sent >= 20);
    const heard = await four.hears(6);
    assert.ok(performance.now() - sent >= 45);
    const of = (index: number): readonly Heard[] => heard.filter(({ from }) => from === made(index));
    const first = of(1)[0]!.read as IcmpReply & { kind: "timestamp" };
    assert.ok(dayDifference(first.receive, token) >= 3_600_030 && dayDifference(first.receive, token) < 3_610_000);
    assert.equal(dayDifference(first.transmit, first.receive), 5);
    assert.deepEqual(
      of(2).map(({ read }) => (typeof read === "string" ? read : read.kind)),
      ["echo", "echo"],
    );
    assert.deepEqual([of(3)[0]!.read, of(4)[0]!.read], ["id", "checksum"]);
    assert.ok((of(5)[0]!.read as { receive: number }).receive >= 2 ** 31);
    reflectors.set("*", { silent: true });
    // It counts after it has sent.
    await eventually(() => assert.deepEqual(reflectors.counts, { timestamp: 5, echo: 2, answered: 7 }));
  });
});
