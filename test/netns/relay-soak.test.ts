/**
 * The relay under everything at once: rules that come and go, workers that are killed, links that flap, under steady traffic. Rules
 * that none of it is about lose nothing and see nothing twice. SLUICE_SOAK_SECONDS says for how long.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { ip } from "../../demo/lab.ts";
import { seeded } from "../../src/autorate/simulation/random.ts";
import { openFiles } from "../../src/linux/fd.ts";
import type { Rule } from "../../src/relay/model.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { said, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

const SECONDS = Number(process.env["SLUICE_SOAK_SECONDS"] ?? 15);
const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const BURST = 20;
const MIB = 2 ** 20;
/** What a process may have more at the end than after it had warmed up. */
const GROWTH = 16 * MIB;

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** What this process holds on to. */
function heldHere(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const residentOf = (pid: number): number =>
  1024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);

const steady: readonly Rule[] = [
  said({ id: "kernel", group: "239.1.0.1", outputs: [{ interface: "o1", group: "239.2.0.1" }], engine: "kernel" }),
  said({
    id: "user",
    interface: "calm",
    group: "239.1.0.2",
    outputs: [{ interface: "o2", group: "239.2.0.2" }],
    engine: "user",
  }),
];

/** A rule of those that come and go, on in0. */
const passing = (number: number, random: () => number): Rule =>
  said({
    id: `passing ${number}`,
    group: `239.3.0.${number}`,
    outputs: [{ interface: "o3", group: `239.4.0.${number}` }],
    engine: random() < 0.5 ? "user" : "auto",
    ...(random() < 0.2 && { cap: { packetsPerSecond: 10 } }),
  });

test("rules that nothing is about lose nothing", async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  const below = (most: number): number => Math.floor(random() * most);
  await using lab = new WholeRelay();
  ip(lab.net.router, [
    `link add calm type veth peer name far netns ${lab.net.host.path}`,
    "addr add 10.7.0.1/24 dev calm",
    "link set calm up",
  ]);
  ip(lab.net.host, ["link set far up"]);
  lab.net.listen("s1", "s2");
  await lab.set(...steady);

  const others = new Map<number, Rule>();
  const done: Record<string, number> = { rules: 0, kills: 0, flaps: 0 };
  const changes = {
    rules: async () => {
      for (let i = 0; i < 5; i += 1) {
        const number = 1 + below(40);
        if (!others.delete(number)) others.set(number, passing(number, random));
      }
      await lab.relay.setRules([...steady, ...others.values()]);
    },
    kills: async () => {
      const workers = lab.relay.workers().filter(({ device }) => device !== "calm");
      const pid = workers[below(workers.length)]?.status.pid;
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      await setTimeout(10);
    },
    flaps: async () => {
      ip(lab.net.router, ["link set o3 down"]);
      await lab.relay.reconcile();
      ip(lab.net.router, ["link set o3 up"]);
      await lab.relay.reconcile();
    },
  };
  const until = performance.now() + 1000 * SECONDS;
  const trouble = (async () => {
    while (performance.now() < until) {
      const kind = (["rules", "rules", "kills", "flaps"] as const)[below(4)]!;
      await changes[kind]();
      done[kind]! += 1;
      await setTimeout(20 + below(100));
    }
  })();
  const going = { on: true };
  const over = trouble.finally(() => (going.on = false));

  let sent = 0;
  let warm: { readonly held: number; readonly files: number } | undefined;
  for (let round = 0; going.on || round === 0; round += 1) {
    const payload = Buffer.alloc(100, round);
    lab.net.send(Array.from({ length: BURST }, () => relayFrame({ to: "239.1.0.1", payload })));
    lab.net.send(
      Array.from({ length: BURST }, () => relayFrame({ to: "239.1.0.2", payload })),
      "far",
    );
    lab.net.send(Array.from({ length: 5 }, () => relayFrame({ to: `239.3.0.${1 + below(40)}`, payload })));
    sent += BURST;
    await lab.net.received("s1", "239.2.0.1", BURST);
    await lab.net.received("s2", "239.2.0.2", BURST);
    if (!warm && performance.now() > until - 700 * SECONDS) warm = { held: heldHere(), files: openFiles() };
  }
  await over;
  await lab.relay.setRules(steady);
  await lab.settled();
  for (const id of ["kernel", "user"])
    assert.deepEqual(
      lab.counted(id).map(({ packets }) => packets),
      [sent, sent],
      id,
    );
  const calm = lab.relay.workers().find(({ device }) => device === "calm")!;
  assert.equal(calm.status.restarts, 0);
  const grown = heldHere() - (warm?.held ?? 0);
  t.diagnostic(
    `${SECONDS} s: ${sent} packets by each rule, ${JSON.stringify(done)}; ${Math.round(grown / MIB)} MiB more than after ` +
      `warming up, ${openFiles() - (warm?.files ?? 0)} more descriptors, the steady worker has ${Math.round(residentOf(calm.status.pid!) / MIB)} MiB`,
  );
  assert.ok(grown < GROWTH, `memory grew by ${grown} bytes`);
});
