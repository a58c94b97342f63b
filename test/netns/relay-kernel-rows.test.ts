/** What the kernel plane's program makes of rows that change while it reads them. This file is a processor that runs it, too. */
import assert from "node:assert/strict";
import { availableParallelism } from "node:os";
import { test } from "node:test";
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { once } from "node:events";
import { addressBytes } from "../../src/core/prefix.ts";
import { testRun } from "../../src/linux/bpf/testrun.ts";
import { encodeRow, type Row } from "../../src/relay/kernel/codec.ts";
import { KernelMaps } from "../../src/relay/kernel/maps.ts";
import { RELAY_NAME } from "../../src/relay/kernel/program.ts";
import { udpFrame } from "../helpers/datagram-frame.ts";
import { isEmulated } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { RelayKernelLab, SLOTS } from "../helpers/relay-kernel-lab.ts";
import { loadRelayProgram } from "../helpers/relay-program.ts";

const IN = "239.1.1.1";
const OTHER = "239.1.1.2";
const RUNS = isEmulated ? 300_000 : 3_000_000;
/** By which a test run comes in: the loopback interface. */
const IFINDEX = 1;

function tests(): void {
  checkFds();

  test("a packet is sent by one row, however often rows take each other's place in memory", async (t) => {
    using lab = new RelayKernelLab();
    using maps = new KernelMaps(`${lab.paths.pins}/rows`, SLOTS);
    using object = loadRelayProgram(maps);
    maps.inputs.set(IFINDEX, 4);
    const mac = Buffer.alloc(6);
    // Copies go to the very group again, so that every run finds what the first one did. Nobody sends them: it is a test run.
    const row = (group: string, slot: number, ttl: number, outputs: number): Row =>
      encodeRow(
        { ifindex: IFINDEX, vlan: 0, group: addressBytes(group), port: 5000 },
        {
          slot,
          mtu: 1500,
          cap: {},
          outputs: Array.from({ length: outputs }, () => ({
            slot: slot + 1,
            ifindex: IFINDEX,
            group: addressBytes(group),
            port: 0,
            ttl,
            mac,
            ownMac: mac,
          })),
        },
      );
    const [taken, other] = [1, 2].map((ttl) => [row(IN, 10, ttl, 1), row(OTHER, 20, ttl, 1)] as const);
    const both = [taken!, other!].flat();
    for (const { key, value } of both) maps.rules.set(key, value);
    const worker = new Worker(new URL(import.meta.url), { workerData: { program: object.programFd(RELAY_NAME) } });
    const done = once(worker, "exit");
    const going = { on: true };
    void done.then(() => (going.on = false));
    let changes = 0;
    while (going.on) {
      for (let i = 0; i < 200; i += 1)
        for (const { key, value } of both) {
          maps.rules.set(key, value);
          changes += 1;
        }
      await new Promise(setImmediate);
    }
    assert.deepEqual(await done, [0]);
    const counted = (slot: number): number => maps.counters.get(slot)!.reduce((sum, [packets]) => sum + packets!, 0);
    t.diagnostic(`${changes} changes while ${RUNS} packets came; ${RUNS - counted(10)} of them left to the workers`);
    assert.deepEqual([counted(20), counted(21)], [0, 0], "nothing came for the other rule");
    assert.equal(counted(11), counted(10));
    assert.ok(counted(10) > 0.99 * RUNS);
    if (availableParallelism() > 1) assert.ok(changes > 500);
  });
}

if (isMainThread) {
  tests();
} else {
  const { program } = workerData as { readonly program: number };
  testRun(program, { frame: udpFrame({ from: "10.0.0.2", to: IN, payload: Buffer.alloc(100) }), repeat: RUNS });
}
