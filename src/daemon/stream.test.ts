import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, get, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { Stream } from "./stream.ts";

let folder: string;
let server: Server;
let stream: Promise<Stream>;
let give: (made: Stream) => void;
let dropped = 0;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "sluice-stream-"));
  server = createServer((request, response) => give(new Stream(response, request.socket, () => (dropped += 1))));
  server.listen(join(folder, "socket"));
  await once(server, "listening");
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const opened = (): Promise<Stream> => (stream = new Promise((resolve) => (give = resolve)));

test("a reader who does not keep up is dropped, with all that is the stream's", async () => {
  const made = opened();
  const socket = connect(join(folder, "socket"), () => socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n"));
  socket.on("error", () => undefined);
  // It never reads.
  socket.pause();
  const slow = await made;
  let disposed = 0;
  slow.own({ [Symbol.dispose]: () => void (disposed += 1) });
  const text = "x".repeat(100_000);
  let sent = 0;
  while (sent < 200 && !slow.signal.aborted) {
    sent += 1;
    slow.send(sent, text);
    await setTimeout(1);
  }
  assert.equal(dropped, 1);
  assert.ok(sent > 5, `dropped after ${sent} messages`);
  if (!slow.signal.aborted) await once(slow.signal, "abort");
  assert.equal(disposed, 1);
  // What comes too late goes nowhere, and what is added too late ends at once.
  slow.send(0, text);
  slow.own({ [Symbol.dispose]: () => void (disposed += 1) });
  assert.equal(disposed, 2);
  socket.destroy();
});

test("a reader who goes away is noticed", async () => {
  const made = opened();
  const request = get({ socketPath: join(folder, "socket") }, (response) => response.destroy());
  request.on("error", () => undefined);
  const gone = await made;
  if (!gone.signal.aborted) await once(gone.signal, "abort");
  assert.equal(await stream, gone);
});
