/**
 * The daemon under everything at once: eight clients with good and bad requests, files that change and break, links that
 * flap, trees that are torn down, and in the second half kill -9 every few seconds. SLUICE_SOAK_SECONDS says for how long.
 */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { Agent, request } from "node:http";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { target } from "../../src/api/client.ts";
import type { Route } from "../../src/api/route.ts";
import { routeRows } from "../../src/api/routes.ts";
import { SluiceError } from "../../src/core/errors.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";
import { mutate, pick, seeded } from "../helpers/mutate.ts";

const SECONDS = Number(process.env["SLUICE_SOAK_SECONDS"] ?? 20);
const SEED = Number(process.env["SLUICE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const CLIENTS = 8;
const TIMEOUT = 30_000;

let lab: DaemonLab;
let good: { readonly devices: string; readonly network: string };
before(async () => {
  lab = new DaemonLab();
  good = {
    devices: readFileSync(lab.path("ShapedDevices.csv"), "utf8"),
    network: readFileSync(lab.path("network.json"), "utf8"),
  };
  await lab.start();
});
after(() => lab[Symbol.asyncDispose]());

/** How requests ended. */
const ended = { answered: 0, cut: 0, unanswered: [] as string[], wrong: [] as string[] };
let killing = false;

/** Keeps connections, as clients do; the daemon closes them only after seconds of silence. */
const agent = new Agent({ keepAlive: true });
after(() => agent.destroy());

/** One request: answered, or cut because the daemon was killed; anything else is noted. */
function ask(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => resolve();
    const options = {
      socketPath: pathsBelow(lab.shaped.root).socket,
      method,
      path,
      timeout: TIMEOUT,
      agent,
      headers: { "content-type": "application/json", ...headers },
    };
    const sent = request(options, (response) => {
      const { statusCode = 0, headers: got } = response;
      if (got["content-type"] === "text/event-stream") void setTimeout(200).then(() => response.destroy());
      response.on("data", (chunk: Buffer) => {
        // 500 is a change that failed under the feet of another; a fault of the daemon's own says INTERNAL.
        if (statusCode >= 500 && chunk.includes("INTERNAL")) ended.wrong.push(`${method} ${path}: ${chunk.toString()}`);
      });
      response.on("close", () => {
        ended.answered += 1;
        done();
      });
    });
    sent.on("timeout", () => {
      ended.unanswered.push(`${method} ${path}`);
      sent.destroy();
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      if (["ECONNREFUSED", "ENOENT", "ECONNRESET", "EPIPE"].includes(error.code ?? "")) ended.cut += 1;
      if (!killing && ["ECONNREFUSED", "ENOENT"].includes(error.code ?? ""))
        ended.wrong.push(`${method} ${path}: ${error.code}`);
      done();
    });
    sent.end(method === "GET" ? undefined : JSON.stringify(body ?? {}));
  });
}

/** Routes that would take the test's own ground away, or reach outside. */
const LEFT_OUT: readonly string[] = ["bakery.mode", "programs.pull"];

async function client(random: () => number, until: number): Promise<void> {
  const rows = routeRows().filter(([name]) => !LEFT_OUT.includes(name));
  while (performance.now() < until) {
    const [, row] = pick(random, rows) as readonly [string, Route];
    const bad = random() < 0.3;
    const { example } = row;
    const body = bad ? mutate(random, example.body ?? {}) : example.body;
    const headers: Record<string, string> = row.conditional && random() < 0.2 ? { "if-match": '"moved"' } : {};
    await ask(row.method, target(row, example), body, headers);
    await setTimeout(random() * 20);
  }
}

/** Runs a command on the router; that it fails is part of the game. */
function router(command: string): void {
  lab.shaped.router(`${command} 2>/dev/null; true`);
}

function chaos(random: () => number, round: number): void {
  const plan = 20 + (round % 50);
  const steps = [
    () => lab.write("ShapedDevices.csv", () => good.devices.replaceAll(/^(1001,(?:[^,\n]*,){9})\d+,/gm, `$1${plan},`)),
    () => lab.write("ShapedDevices.csv", (text) => `${text}nonsense,,,`),
    () => lab.write("network.json", (text) => text.slice(0, -3)),
    () => lab.write("network.json", () => good.network),
    () => lab.kill("SIGHUP"),
    () =>
      router("ip link set lan0 down; ip link set lan0 name gone0; ip link set gone0 name lan0; ip link set lan0 up"),
    () => router("ip link set wan0 down; ip link set wan0 up"),
    () => router("tc qdisc del dev lan0 root"),
    () => router("tc qdisc del dev wan0 clsact"),
  ];
  pick(random, steps)();
}

interface Figures {
  /** What each descriptor is of, as /proc says, without the numbers that tell sockets and pipes apart. */
  readonly fds: readonly string[];
  readonly residentKiB: number;
}

function figures(): Figures {
  const { pid } = lab;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const fds = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/\[\d+\]/, "")];
    } catch {
      return []; // closed while they were listed
    }
  });
  return { fds, residentKiB: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) };
}

/** What is in the first more often than in the second. */
function multisetDifference(these: readonly string[], those: readonly string[]): string[] {
  const left = [...those];
  return these.filter((one) => {
    const at = left.indexOf(one);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}

/** The daemon as it is when nothing has happened for a while, and nobody is connected to it. */
async function atRest(): Promise<Figures> {
  // With the files in order and the counters read once, so that both times the same is open.
  lab.write("network.json", () => good.network);
  lab.write("ShapedDevices.csv", () => good.devices);
  await lab.client.call("config.reload", {});
  await lab.client.call("metrics", {});
  agent.destroy();
  await setTimeout(3500);
  return figures();
}

async function storm(random: () => number, seconds: number, kills: boolean): Promise<number> {
  const until = performance.now() + seconds * 1000;
  const clients = Array.from({ length: CLIENTS }, (_, i) => client(seeded(SEED + i + (kills ? 100 : 0)), until));
  let rounds = 0;
  let deaths = 0;
  while (performance.now() < until) {
    rounds += 1;
    chaos(random, rounds);
    await setTimeout(100 + random() * 300);
    if (!kills || rounds % 8 !== 0) continue;
    killing = true;
    lab.kill("SIGKILL");
    await lab.ended();
    deaths += 1;
    await lab.start();
    killing = false;
  }
  await Promise.all(clients);
  return deaths;
}

test(`${SECONDS} seconds of everything at once`, { timeout: (SECONDS + 180) * 1000 }, async (t) => {
  t.diagnostic(`seed ${SEED}`);
  const random = seeded(SEED);
  await storm(random, Math.min(10, SECONDS / 4), false);
  const warm = await atRest();
  await storm(random, SECONDS / 2, false);
  const worn = await atRest();
  t.diagnostic(
    `warm: ${warm.fds.length} descriptors, ${warm.residentKiB} KiB; worn: ${worn.fds.length}, ${worn.residentKiB} KiB`,
  );
  const deaths = await storm(random, SECONDS / 2, true);
  t.diagnostic(`${ended.answered} requests answered, ${ended.cut} cut by ${deaths} kills`);

  assert.deepEqual(ended.unanswered, []);
  assert.deepEqual(ended.wrong.slice(0, 5), []);
  const fresh = multisetDifference(worn.fds, warm.fds);
  assert.ok(worn.fds.length <= warm.fds.length + 2, `descriptors more than before: ${fresh.join(", ")}`);
  assert.ok(
    worn.residentKiB < warm.residentKiB * 1.25 + 8192,
    `memory grew from ${warm.residentKiB} to ${worn.residentKiB} KiB`,
  );
  assert.ok(deaths > 0);

  // At the end the kernel is what the last good configuration says, and nothing is left of anything else.
  lab.write("network.json", () => good.network);
  lab.write("ShapedDevices.csv", () => good.devices);
  await lab.client.call("config.reload", {}).catch((error: unknown) => {
    throw error instanceof SluiceError ? new Error(error.message) : error;
  });
  await eventually(async () => assert.deepEqual((await lab.client.call("health", {})).conditions, []));
  const plan = lab.cli(["plan"]);
  assert.equal(plan.stdout, "Nothing to change.\n", plan.stderr);
  const { configuration } = await lab.client.call("config.get", {});
  const kept = await lab.client.call("config.version", { params: { id: String(configuration!.id) } });
  assert.equal(kept.files.find(({ role }) => role === "devices")?.text, good.devices);
});
