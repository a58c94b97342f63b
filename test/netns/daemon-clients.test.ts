/** Clients of the daemon that say nothing, half of it, or far too much, and many at once: every other one is served meanwhile. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { LAB } from "../../demo/lab.ts";
import { pathsBelow } from "../../src/linux/paths.ts";
import { DaemonLab } from "../helpers/daemon.ts";
import { checkFds } from "../helpers/leaks.ts";

const MANY = 100;
const PATH = "/v1/relay/rules";

let lab: DaemonLab;
before(async () => {
  lab = new DaemonLab("[relay]\nring_mib = 4");
  await lab.start();
});
after(() => lab[Symbol.asyncDispose]());

// After the lab's end: what is registered later runs later.
checkFds();

const rule = (n: number) => ({
  interface: LAB.wan,
  group: `239.1.1.${n}`,
  port: 5000,
  outputs: [{ interface: LAB.lan }],
});

/** A connection that has said so much, and waits. */
async function began(said: string): Promise<Socket> {
  const socket = connect(pathsBelow(lab.shaped.root).socket);
  await once(socket, "connect");
  socket.write(said);
  return socket;
}

const head = (length: number): string =>
  `POST ${PATH} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n`;

/** How many rules there are. */
const count = async (): Promise<number> => (await lab.client.call("relay.rules", {})).rules.length;

test("35: clients that say nothing, or half of a request, keep nobody waiting, and may say the rest later", async () => {
  const body = JSON.stringify(rule(1));
  const half = body.length >> 1;
  const beginnings = ["", `POST ${PATH}`, head(body.length), head(body.length) + body.slice(0, half)];
  const waiting = await Promise.all(beginnings.flatMap((said) => Array.from({ length: 10 }, () => began(said))));
  const late = await began(head(body.length) + body.slice(0, half));
  await lab.client.call("relay.add", { body: rule(2) });
  assert.equal(await count(), 1);
  late.write(body.slice(half));
  assert.match(await text(late), /^HTTP\/1\.1 200 /);
  assert.equal(await count(), 2);
  for (const socket of waiting) socket.destroy();
  for (const { id } of (await lab.client.call("relay.rules", {})).rules)
    await lab.client.call("relay.remove", { params: { id } });
});

test("35: JSON that ends in its middle is answered, and changes nothing", async () => {
  const body = JSON.stringify(rule(1)).slice(0, -10);
  const socket = await began(head(body.length) + body);
  assert.match(await text(socket), /^HTTP\/1\.1 400 [\s\S]*REQUEST_JSON/);
  assert.equal(await count(), 0);
});

test("35: 10 MB of JSON are refused, and change nothing", async () => {
  const body = { ...rule(1), name: "x".repeat(10 * 2 ** 20) };
  await assert.rejects(lab.client.call("relay.add", { body }), /REQUEST_TOO_LARGE/);
  assert.equal(await count(), 0);
});

test(`35: ${MANY} clients at once are all answered`, async () => {
  const numbers = Array.from({ length: MANY }, (_, i) => 1 + i);
  const added = await Promise.all(numbers.map((n) => lab.client.call("relay.add", { body: rule(n) })));
  assert.deepEqual(
    added.map(({ rule: { group } }) => group),
    numbers.map((n) => rule(n).group),
  );
  assert.equal(await count(), MANY);
});
