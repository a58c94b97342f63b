/** How the relay's kernel plane comes, changes and goes: beside programs of users, over restarts, and after hands were in it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { addressBytes } from "../../src/core/prefix.ts";
import { TC_INGRESS } from "../../src/core/tc/handle.ts";
import { attachToDispatcher, loadPrograms, readObjectFile } from "../../src/dispatcher/manage.ts";
import { type DispatcherRecord, keyText, type ProgramRecord } from "../../src/dispatcher/model.ts";
import { mapPin } from "../../src/dispatcher/paths.ts";
import { U32 } from "../../src/core/layout.ts";
import { programInfo } from "../../src/linux/bpf/info.ts";
import { BpfMap } from "../../src/linux/bpf/map.ts";
import { openPin } from "../../src/linux/bpf/pin.ts";
import { PROGRAM_TYPE } from "../../src/linux/bpf/program.ts";
import { testRun } from "../../src/linux/bpf/testrun.ts";
import { KernelMaps, MAP_PINS } from "../../src/relay/kernel/maps.ts";
import { RELAY_NAME } from "../../src/relay/kernel/program.ts";
import { encodeRow } from "../../src/relay/kernel/codec.ts";
import { hasJit, requireExtensions } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";
import { RelayKernelLab, SLOTS } from "../helpers/relay-kernel-lab.ts";
import { loadRelayProgram } from "../helpers/relay-program.ts";
import { putFilter } from "../helpers/tc-program.ts";
import { tinyProgram } from "../helpers/tiny-program.ts";
import { readUdp, udpFrame } from "../helpers/datagram-frame.ts";
import { openTun } from "../helpers/tun.ts";
import { PacketSocket } from "../../src/linux/packet/packet-socket.ts";
import { eventually } from "../helpers/eventually.ts";

checkFds();

const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const OBJECTS = join(import.meta.dirname, "../bpf");
const FRAME = udpFrame({ from: "10.0.0.2", to: IN, payload: Buffer.alloc(100) });

const recordOf = (lab: RelayKernelLab, device = "in0"): DispatcherRecord | undefined => {
  const key = { hook: "tc-ingress" as const, nsid: lab.router.id, ifindex: lab.link(device).ifindex };
  return lab.dispatcher.state().dispatchers.get(keyText(key));
};

/** Loads a user's program that counts and says TC_ACT_PIPE, and attaches it to in0. */
async function userProgram(lab: RelayKernelLab, priority: number): Promise<ProgramRecord> {
  const path = join(OBJECTS, "tc-members.bpf.o");
  const programs = [{ type: "tc" as const, name: "pipe_count" }];
  const request = { label: path, source: { kind: "file" as const, path }, programs, globals: {}, metadata: {} };
  const { items } = await loadPrograms(lab.dispatcher, request, readObjectFile(path));
  const attach = { programId: items[0]!.id, hook: "tc-ingress" as const, device: "in0", netns: lab.router.path };
  await attachToDispatcher(lab.dispatcher, { ...attach, priority, proceedOn: [-1, 3, 30] });
  return items[0]!;
}

function hits(lab: RelayKernelLab, program: ProgramRecord): number {
  using counters = new BpfMap(openPin(join(lab.paths.pins, mapPin(program.mapSet, "tc_hits")))!, U32, {
    size: 8,
    write: () => assert.fail(),
    read: (buffer, offset) => Number(buffer.readBigUInt64LE(offset)),
  });
  return counters.get(0)!;
}

const tc = (lab: RelayKernelLab, ...words: string[]): string => {
  const done = lab.router.run(() => spawnSync("tc", words, { encoding: "utf8" }));
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
};

/** Sends frames that are carried, all of them. */
async function carries(lab: RelayKernelLab, to = OUT, device = "s1"): Promise<void> {
  lab.send([FRAME, FRAME, FRAME]);
  await lab.received(device, to, 3);
}

describe("the kernel plane", () => {
  for (const engine of ["freplace", "fused"] as const) {
    test(`stands among programs of users (${engine})`, async (t) => {
      if (engine === "freplace" && !requireExtensions(t)) return;
      using lab = new RelayKernelLab({ engine });
      lab.listen("s1");
      const before = await userProgram(lab, 10);
      await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT), lab.output("o2", OUT)]));
      const after = await userProgram(lab, 90);
      assert.equal(recordOf(lab)!.engine, engine);
      await carries(lab);
      lab.send([udpFrame({ from: "10.0.0.2", to: "239.7.7.7", payload: Buffer.alloc(1) })]);
      await eventually(() => assert.equal(hits(lab, after), 1));
      assert.ok(hits(lab, before) >= 4, "whoever is before it sees all packets");
      await lab.plane.remove();
      lab.send([FRAME]);
      await eventually(() => assert.equal(hits(lab, after), 2));
      await lab.received("s1", OUT, 0);
    });
  }

  test("the same rules again change nothing", async () => {
    using lab = new RelayKernelLab();
    const rules = [lab.rule(1, IN, [lab.output("o1", OUT)]), lab.rule(2, "239.1.1.2", [lab.output("o2", OUT)])];
    await lab.carry(...rules);
    const before = recordOf(lab);
    assert.ok(before);
    const text = tc(lab, "filter", "show", "dev", "in0", "ingress");
    lab.restart();
    await lab.carry(...rules.toReversed());
    assert.deepEqual(recordOf(lab), before);
    assert.equal(tc(lab, "filter", "show", "dev", "in0", "ingress"), text);
  });

  test("packets go on without the process, and the next one finds all in its place", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const rule = lab.rule(1, IN, [lab.output("o1", OUT)]);
    await lab.carry(rule);
    const before = recordOf(lab);
    lab.plane[Symbol.dispose]();
    await carries(lab);
    lab.restart();
    assert.deepEqual(lab.counted(1), { packets: 3, bytes: 300 });
    await lab.carry(rule);
    assert.deepEqual(recordOf(lab), before);
    assert.deepEqual(lab.counted(1), { packets: 3, bytes: 300 });
  });

  test("is healed after its filter, its pins or its maps' content were taken away", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const rule = lab.rule(1, IN, [lab.output("o1", OUT)]);
    await lab.carry(rule);
    const harm: Record<string, () => void> = {
      "the qdisc": () => {
        if (recordOf(lab)!.attachment.via === "clsact") tc(lab, "qdisc", "del", "dev", "in0", "clsact");
      },
      "all pins of the plane": () => rmSync(`${lab.paths.pins}/relay`, { recursive: true }),
      "the pin of the rows": () => rmSync(`${lab.paths.pins}/relay/${MAP_PINS.sluice_relay_rules}`),
      "the rows": () => {
        using maps = new KernelMaps(`${lab.paths.pins}/relay`, SLOTS);
        maps.rules.deleteAll(maps.rules.entries().map(([key]) => key));
        maps.inputs.deleteAll([lab.link("in0").ifindex]);
      },
    };
    for (const [name, take] of Object.entries(harm)) {
      take();
      lab.restart();
      await lab.carry(rule);
      await carries(lab);
      assert.equal(lab.counted(1)["packets"]! % 3, 0, name);
    }
  });

  test("a program that nothing tells of any more is found and taken away", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    await lab.carry(lab.rule(1, IN, [lab.output("o1", OUT)]));
    rmSync(`${lab.paths.pins}/relay`, { recursive: true });
    lab.restart();
    await lab.carry(lab.rule(2, IN, [lab.output("o1", OUT)], { ifindex: lab.link("o2").ifindex }));
    assert.equal(recordOf(lab), undefined);
    lab.send([FRAME]);
    await lab.received("s1", OUT, 0);
  });

  test("18, 19, 20, 36: rules change under traffic, and the others lose nothing", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const steady = lab.rule(1, IN, [lab.output("o1", OUT)]);
    await lab.carry(steady);
    using sender = PacketSocket.open("src0", lab.host);
    const traffic = await stream(sender.fd, [FRAME], { rate: 2000 });
    for (let i = 0; i < 10; i += 1) {
      const other = lab.rule(2, IN, [lab.output("o2", "239.3.3.3")], { source: addressBytes("10.9.9.9"), port: i % 2 });
      await lab.carry(...(i % 3 === 2 ? [steady] : [steady, other]));
      await lab.carry({ ...steady, outputs: steady.outputs.map((output) => ({ ...output, ttl: 10 + i })) });
    }
    const sent = await traffic.stop();
    assert.ok(sent > 0);
    const seen = await lab.received("s1", OUT, sent);
    assert.ok(new Set(seen.map(({ ttl }) => ttl)).size > 1, "the change was seen while packets came");
    assert.deepEqual(lab.counted(1), { packets: sent, bytes: 100 * sent });
  });

  test("a rule without a place any more leaves nothing, and what others put there stays", async () => {
    using lab = new RelayKernelLab();
    tc(lab, "qdisc", "add", "dev", "in0", "clsact");
    using passes = tinyProgram(PROGRAM_TYPE.SCHED_CLS, -1);
    putFilter(lab.socket, lab.link("in0").ifindex, passes, 7, "theirs", TC_INGRESS);
    const shown = (): string => tc(lab, "filter", "show", "dev", "in0", "ingress");
    const theirs = shown();
    assert.match(theirs, /theirs/);
    await lab.carry(
      lab.rule(1, IN, [lab.output("o1", OUT)]),
      lab.rule(2, IN, [lab.output("o1", OUT)], { ifindex: lab.link("o3").ifindex }),
    );
    assert.ok(shown().includes(theirs.split("\n")[1]!));
    assert.deepEqual(await lab.apply(), {});
    assert.deepEqual([recordOf(lab), recordOf(lab, "o3")], [undefined, undefined]);
    assert.equal(shown(), theirs);
    assert.doesNotMatch(tc(lab, "qdisc", "show", "dev", "o3"), /clsact/);
    await lab.plane.remove();
    assert.ok(!existsSync(`${lab.paths.pins}/relay`));
    assert.equal(lab.dispatcher.state().programs.size, 0);
  });

  test("an interface that refuses the program leaves its rules to the user plane, and no others", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s2");
    // A qdisc of another kind stands in the place of clsact.
    lab.router.run(() => spawnSync("tc", ["qdisc", "add", "dev", "in0", "ingress"]));
    for (let priority = 1; priority <= 10; priority += 1) {
      try {
        await userProgram(lab, priority);
      } catch {
        break;
      }
    }
    const elsewhere = lab.rule(2, IN, [lab.output("o2", OUT)], { ifindex: lab.link("o1").ifindex });
    const carried = await lab.apply(lab.rule(1, IN, [lab.output("o1", OUT)]), elsewhere);
    assert.equal(carried["rule2"], true);
    assert.notEqual(carried["rule1"], true);
    lab.send([FRAME], "s1");
    await lab.received("s2", OUT, 1);
  });

  test("rules on an interface that is gone, or has no Ethernet header, are left; what it had is forgotten", async (t) => {
    using lab = new RelayKernelLab();
    const rule = lab.rule(1, IN, [lab.output("o1", OUT)]);
    await lab.carry(rule);
    const made = lab.router.run(() => spawnSync("ip", ["tuntap", "add", "tun0", "mode", "tun"], { encoding: "utf8" }));
    if (made.status === 0) {
      const onTun = lab.rule(2, IN, [lab.output("o1", OUT)], { ifindex: lab.link("tun0").ifindex });
      const { rule2 } = await lab.apply(rule, onTun);
      assert.equal(rule2, "packets on tun0 have no Ethernet header");
    } else t.diagnostic(`no tun device here: ${made.stderr}`);
    ip(lab.router, ["link del in0"]);
    assert.deepEqual(await lab.apply(rule), { rule1: "its interface is not there" });
    using maps = new KernelMaps(`${lab.paths.pins}/relay`, SLOTS);
    assert.deepEqual([maps.rules.entries(), maps.inputs.entries()], [[], []]);
    await lab.carry(lab.rule(3, IN, [lab.output("o1", OUT)], { ifindex: lab.link("o2").ifindex }));
    assert.deepEqual(
      [...lab.dispatcher.state().programs.values()].map(({ name }) => name),
      [RELAY_NAME],
      "one program, for the one interface that has rules",
    );
  });

  test("an output without a link layer gets packets without a header", async (t) => {
    using lab = new RelayKernelLab();
    using tun = openTun(lab.router, "tun9");
    if (!tun) return t.skip("this kernel has no tun device");
    lab.listen("s1");
    ip(lab.router, ["link set tun9 up"]);
    const { ownMac: _own, mac: _mac, ...bare } = lab.output("tun9", OUT);
    await lab.carry(lab.rule(1, IN, [bare, lab.output("o1", OUT), { ...bare, group: addressBytes("239.3.3.3") }]));
    lab.send([FRAME]);
    const [seen] = await lab.received("s1", OUT, 1);
    for (const group of [OUT, "239.3.3.3"]) {
      const packet: Buffer = await eventually(() => tun.read() ?? assert.fail(`nothing for ${group}`));
      // With an Ethernet header before it, it can be read as what comes out elsewhere.
      const { from, to, ttl, sum, headerSum, payload } = readUdp(Buffer.concat([FRAME.subarray(0, 14), packet]))!;
      assert.deepEqual(
        { from, to, ttl, sum, headerSum, payload },
        { from: "10.0.9.1", to: group, ttl: 7, sum: "right", headerSum: true, payload: seen!.payload },
      );
    }
  });

  test("counters of other numbers begin anew, and cleared ones are 0", async () => {
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const output = lab.output("o1", OUT);
    await lab.carry(lab.rule(1, IN, [output]));
    await carries(lab);
    assert.equal(lab.plane.counters().length, SLOTS);
    assert.deepEqual(lab.plane.counters(2), [
      [0, 0, 0, 0, 0, 0],
      [3, 300, 0, 0, 0, 0],
    ]);
    lab.plane.clear([1]);
    assert.deepEqual([lab.counted(1), lab.counted(output.slot)], [{}, { packets: 3, bytes: 300 }]);
  });

  test("nothing is made where there are no rules", async () => {
    using lab = new RelayKernelLab();
    assert.deepEqual(await lab.apply(), {});
    assert.deepEqual(lab.plane.counters(), []);
    lab.plane.clear([1]);
    await lab.plane.remove();
    assert.ok(!existsSync(`${lab.paths.pins}/relay`));
  });

  test("43: 10,000 rules are carried, each for its own packets", async (t) => {
    // Where nothing wakes the kernel to refill its reserve, it takes three rows a tick.
    if (!hasJit) return t.skip("user-mode Linux takes half a minute for so many rows");
    using lab = new RelayKernelLab();
    lab.listen("s1");
    const output = lab.output("o1", OUT);
    const group = (i: number): string => `239.20.${i >> 8}.${i & 0xff}`;
    const groups = Array.from({ length: 10_000 }, (_, i) => group(i));
    const rules = lab.rules(1, groups, [output]);
    await lab.carry(lab.rule(2, IN, [output]));
    const times: string[] = [];
    for (const what of ["first", "again"]) {
      const start = performance.now();
      await lab.carry(...rules);
      times.push(`${what} ${(performance.now() - start).toFixed()} ms`);
    }
    t.diagnostic(`10,000 rules: ${times.join(", ")}`);
    const [some, none] = [[0, 1, 255, 256, 4999, 9999], 10_000];
    lab.send([none, ...some].map((i) => udpFrame({ from: "10.0.0.2", to: group(i), payload: Buffer.from(group(i)) })));
    const seen = await lab.received("s1", OUT, some.length);
    assert.deepEqual(
      seen.map(({ payload }) => payload.toString()),
      some.map((i) => group(i)),
    );
    assert.equal(lab.counted(1)["packets"], some.length);
  });

  test("the verifier takes it, and how long a packet takes", (t) => {
    using lab = new RelayKernelLab();
    using maps = new KernelMaps(`${lab.paths.pins}/bench`, SLOTS);
    const start = performance.now();
    using object = loadRelayProgram(maps);
    const fd = object.programFd(RELAY_NAME);
    const { verifiedInstructions } = programInfo(fd);
    t.diagnostic(
      `loaded in ${(performance.now() - start).toFixed()} ms, ${verifiedInstructions} instructions verified`,
    );
    // A test run comes in by the loopback interface of where it is run.
    maps.inputs.set(1, 4);
    const { ownMac = new Uint8Array(6), mac = ownMac, ...output } = lab.output("o1", OUT, { port: 0 });
    // What a run wrote the next one reads: the packet goes back and forth between two rules.
    const times = [0, 1].map((outputs) => {
      for (const [here, there] of [
        [IN, OUT],
        [OUT, IN],
      ] as const) {
        const copies = Array.from({ length: outputs }, () => ({ ...output, mac, ownMac, group: addressBytes(there) }));
        const { key, value } = encodeRow(
          { ifindex: 1, vlan: 0, group: addressBytes(here), port: 5000 },
          { slot: 1, mtu: 1500, cap: {}, outputs: copies },
        );
        maps.rules.set(key, value);
      }
      const { nanoseconds, verdict } = lab.router.run(() => testRun(fd, { frame: FRAME, repeat: 100_000 }));
      assert.equal(verdict, outputs === 0 ? -1 : 7);
      return nanoseconds;
    });
    t.diagnostic(`a packet: left alone ${times[0]} ns, rewritten for one output ${times[1]} ns`);
  });
});
