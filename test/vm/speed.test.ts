/** How fast TCP is behind CAKE below HTB: counted by the class, in bytes as they stand on the wire. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { measure, Servers } from "../../demo/iperf.ts";
import { LAB } from "../../demo/lab.ts";
import { formatHandle } from "../../src/core/tc/handle.ts";
import { readCounters } from "../../src/shaper/counters.ts";
import { requireLeaves, requireSpeed } from "../helpers/features.ts";
import { checkFds } from "../helpers/leaks.ts";
import { addressOf, downloadClass, flatIsp } from "../helpers/leaves.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const PLANS = [5, 10, 20];
const PORT = 5201;
/** Windows that are looked at one by one, in ms. */
const WINDOW = 1000;
/** A host that has other work for all of a measurement's time can keep a guest from filling its plan. */
const TRIES = 4;

/** Mbit/s that a class sent in each window, and in all of them together. */
async function watch(lab: ShapedLab, classid: string, windows: number): Promise<{ each: number[]; all: number }> {
  const look = () => {
    const classes = readCounters(lab.shaper.socket, lab.shaper.devices).get(LAB.lan)!;
    const [, counters] = [...classes].find(([id]) => formatHandle(id) === classid)!;
    return { at: performance.now(), bytes: counters.bytes };
  };
  type Look = ReturnType<typeof look>;
  const rate = (from: Look, to: Look): number => ((to.bytes - from.bytes) * 8) / 1000 / (to.at - from.at);
  const looks = [look()];
  for (let i = 0; i < windows; i += 1) {
    await setTimeout(WINDOW);
    looks.push(look());
  }
  return { each: looks.slice(1).map((now, i) => rate(looks[i]!, now)), all: rate(looks[0]!, looks.at(-1)!) };
}

test("TCP reaches its plan behind CAKE, and never more: within 5 %", async (t) => {
  if (!requireLeaves(t) || !requireSpeed(t)) return;
  const isp = flatIsp(PLANS);
  using lab = new ShapedLab({
    queues: 1,
    hosts: PLANS.map((_, i) => addressOf(i)),
    config: { leaf: { kind: "auto" } },
  });
  await lab.apply(isp);
  using _servers = await Servers.start(lab.lab.internet, [PORT]);
  for (const [i, plan] of PLANS.entries()) {
    const classid = downloadClass(lab, isp, `c${i + 1}`);
    const flow = { client: addressOf(i), server: LAB.server[4], port: PORT, direction: "download" } as const;
    for (let tries = 1; ; tries += 1) {
      const ended = measure(lab.lab.subscribers, { ...flow, seconds: 5, omit: 0 });
      const { each, all } = await watch(lab, classid, 4);
      await ended;
      const shown = each.map((rate) => rate.toFixed(2)).join("  ");
      t.diagnostic(`${plan} Mbit/s: ${shown}`);
      // A host that does something else meanwhile takes from a window and gives to the next, never to all of them.
      assert.ok(all <= plan * 1.05, `${all.toFixed(2)} is more than the plan of ${plan}: ${shown}`);
      if (Math.max(...each) >= plan * 0.95) break;
      assert.ok(tries < TRIES, `no window reaches ${plan} Mbit/s: ${shown}`);
    }
  }
});
