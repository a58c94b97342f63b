/** A site that is driven while traffic flows through it: what arrives follows the rates that are set. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Servers } from "../../demo/iperf.ts";
import { LAB } from "../../demo/lab.ts";
import { megabits } from "../../src/core/units.ts";
import { LiveRates } from "../../src/shaper/live-rates.ts";
import type { Isp } from "../../src/shaper/model.ts";
import { SiteTarget } from "../../src/shaper/site-target.ts";
import { eventually } from "../helpers/eventually.ts";
import { circuit, node } from "../helpers/isp.ts";
import { checkFds } from "../helpers/leaks.ts";
import { ShapedLab } from "../helpers/shaper.ts";

checkFds();

const HOSTS = ["100.64.1.1", "100.64.1.2"];
/** Each circuit may fill the site by itself, and both together are guaranteed more than the site has at its slowest. */
const ISP: Isp = {
  nodes: [node("Tower", 20)],
  circuits: HOSTS.map((address, i) => circuit(`c${i + 1}`, "Tower", 18, { min: 6, address })),
};
const PORT = 5301;
const WINDOW = 300;

/** A subscriber asks for 15 Mbit/s of UDP, until it is ended; gone with this process. */
function flood(lab: ShapedLab, host: string, port: number): ChildProcess {
  const from = ["-c", LAB.server[4], "-B", host, "-p", String(port), "-R"];
  const words = ["iperf3", ...from, "-u", "-b", "15M", "-l", "1200", "-t", "120"];
  return lab.lab.subscribers.run(() => spawn("setpriv", ["--pdeathsig", "KILL", ...words], { stdio: "ignore" }));
}

/** Bytes that the subscribers' interface has received. */
function received(lab: ShapedLab): number {
  const text = lab.lab.subscribers.run(() => readFileSync("/proc/thread-self/net/dev", "utf8"));
  return Number(/^\s*sub0:\s*(\d+)/m.exec(text)![1]);
}

/** Mbit/s that arrive, over a short while. */
async function arriving(lab: ShapedLab): Promise<number> {
  const [bytes, since] = [received(lab), performance.now()];
  await setTimeout(WINDOW);
  return ((received(lab) - bytes) * 8) / 1000 / (performance.now() - since);
}

test("what is delivered follows the site's rate, guarantees or not, and subscribers keep their plans", async () => {
  const live = new LiveRates();
  using lab = new ShapedLab({ queues: 1, hosts: HOSTS, live });
  using tower = new SiteTarget({
    name: "Tower",
    direction: "download",
    live,
    netns: lab.lab.router.path,
    serial: (body) => body(),
  });
  await lab.apply(ISP);
  using _servers = await Servers.start(
    lab.lab.internet,
    HOSTS.map((_, i) => PORT + i),
  );
  const floods = HOSTS.map((host, i) => flood(lab, host, PORT + i));
  using _ended = { [Symbol.dispose]: () => floods.forEach((child) => child.kill("SIGKILL")) };
  const ceilings = (): string[] => lab.router(`tc class show dev ${LAB.lan}`).match(/ceil 18Mbit/g) ?? [];
  const sent: number[] = [];
  for (const mbit of [20, 12, 3, 8]) {
    assert.equal(await tower.set(megabits(mbit)), mbit * 1e6);
    await eventually(async () => {
      const now = await arriving(lab);
      assert.ok(now > mbit * 0.6 && now < mbit * 1.25, `${now.toFixed(1)} Mbit/s arrive of ${mbit}`);
    });
    assert.equal(ceilings().length, 2);
    sent.push(tower.observe()!.sent);
  }
  for (const [i, bytes] of sent.entries())
    assert.ok(bytes > (sent[i - 1] ?? 0), "the site counts what goes through it");
  assert.deepEqual(lab.plan(ISP), []);
});
