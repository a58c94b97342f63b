/** Streams of a live daemon: what happens, how far plans are, what nodes send; how they resume. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { type Call, type Output, type RouteName } from "../../src/api/routes.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";

let lab: DaemonLab;
beforeEach(async () => {
  lab = new DaemonLab();
  await lab.start();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Reads a stream until there are so many messages. */
async function take<N extends RouteName>(
  name: N,
  call: Call<N>,
  count: number,
): Promise<{ ids: string[]; messages: Output<N>[] }> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(), 10_000);
  const got = { ids: [] as string[], messages: [] as Output<N>[] };
  for await (const { id, message } of lab.client.stream(name, call, { signal: controller.signal })) {
    got.ids.push(id ?? "");
    got.messages.push(message);
    if (got.messages.length === count) break;
  }
  clearTimeout(timer);
  controller.abort();
  return got;
}

test("events go on where a reader stopped, also behind a restart of the daemon", async () => {
  const first = await take("events.stream", { query: { after: "0" } }, 3);
  assert.deepEqual(first.ids, ["1", "2", "3"]);
  assert.equal(first.messages[0]!.event.kind, "plan.applied");
  const waiting = take("events.stream", { query: { after: "3" } }, 1);
  await lab.client.call("log.set", { body: { levels: { api: "info" } } });
  assert.equal((await waiting).messages[0]!.event.kind, "log.levels");
  await lab.stop();
  await lab.start();
  const rest = await take("events.stream", { query: { after: "4" } }, 2);
  assert.deepEqual(
    rest.messages.map(({ event }) => event.kind),
    ["daemon.stopping", "daemon.started"],
  );
});

test("however much a reader missed, it gets all of it, and then what comes", async () => {
  const sent = 1300;
  for (let i = 0; i < sent; i += 1) await lab.client.call("log.set", { body: { levels: { api: "info" } } });
  const { ids } = await take("events.stream", { query: { after: "3" } }, sent);
  assert.deepEqual(
    ids,
    Array.from({ length: sent }, (_, i) => String(i + 4)),
  );
});

test("a stream that is open when the daemon stops is ended, and does not keep it", async () => {
  const open = take("events.stream", {}, 1000);
  await eventually(async () => assert.match(await lab.client.call("metrics", {}), /^sluice_streams 1$/m));
  const begin = performance.now();
  assert.equal(await lab.stop(), 0);
  assert.ok(performance.now() - begin < 5000);
  const { messages } = await open;
  assert.equal(messages.at(-1)?.event.kind, "daemon.stopping");
});

test("plans are followed from their beginning to their end, and resumed", async () => {
  const following = take("plans.stream", {}, 2);
  await eventually(async () => assert.match(await lab.client.call("metrics", {}), /^sluice_streams 1$/m));
  lab.shaped.router("tc qdisc del dev lan0 root");
  const { ids, messages } = await following;
  assert.equal(messages[0]!.phase, "begun");
  assert.equal(messages[0]!.who, "drift");
  const resumed = await take("plans.stream", { query: { after: String(Number(ids[0])) } }, 1);
  assert.deepEqual(resumed.ids[0], ids[1]);
});

test("counters of nodes and of the circuits that are named", async () => {
  const query = { interval: "100", circuits: "1001,1003" };
  const { messages, ids } = await take("shaper.counters", { query }, 3);
  assert.deepEqual(ids, ["1", "2", "3"]);
  assert.deepEqual(messages[0]!.circuits.map(({ id }) => id).toSorted(), ["1001", "1003"]);
  assert.equal(messages[0]!.nodes.length, 6);
  assert.equal(messages[0]!.nodes[0]!.download?.bytes, 0);
  const [one, three] = [messages[0]!, messages[2]!].map(({ time }) => Date.parse(time));
  assert.ok(three! - one! >= 150, `${three! - one!} ms for two intervals`);
});
