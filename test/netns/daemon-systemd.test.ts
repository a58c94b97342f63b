/** What the daemon tells its service manager: a listener on a datagram socket stands in for systemd. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { DaemonLab } from "../helpers/daemon.ts";
import { eventually } from "../helpers/eventually.ts";

const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1].replace("@", "\\0", 1))
print("ready", flush=True)
while True:
    print(s.recv(65536).decode().strip().replace("\\n", "|"), flush=True)
`;
const skip = spawnSync("python3", ["--version"]).status === 0 ? false : "there is no python3 to listen";

let lab: DaemonLab;
let listener: ChildProcess;
let heard = "";
beforeEach(() => {
  lab = new DaemonLab();
  heard = "";
});
afterEach(async () => {
  listener?.kill("SIGKILL");
  await lab[Symbol.asyncDispose]();
});

async function listen(path: string): Promise<void> {
  listener = spawn("python3", ["-c", LISTENER, path], { stdio: ["ignore", "pipe", "inherit"] });
  listener.stdout!.setEncoding("utf8").on("data", (text: string) => (heard += text));
  await eventually(() => assert.match(heard, /^ready/), 20_000);
}

for (const abstract of [false, true])
  test(
    `ready, reloading, watchdog, status, stopping${abstract ? ", on an abstract socket" : ""}`,
    { skip },
    async () => {
      const path = abstract ? `@sluice-test-${process.pid}` : join(lab.shaped.root, "notify");
      await listen(path);
      await lab.start({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "600000" } });
      await eventually(() => assert.match(heard, /^READY=1\|STATUS=shaping by configuration 1$/m));
      await eventually(() => assert.match(heard, /^WATCHDOG=1$/m));
      lab.kill("SIGHUP");
      await eventually(() => assert.match(heard, /^RELOADING=1\|MONOTONIC_USEC=\d{6,}\|STATUS=reloading$/m));
      await eventually(() => assert.equal(heard.match(/^READY=1/gm)?.length, 2));
      lab.write("network.json", (text) => `${text},`);
      lab.kill("SIGHUP");
      await eventually(() =>
        assert.match(heard, /^READY=1\|STATUS=shaping by configuration 1; error: The configuration was not taken/m),
      );
      assert.equal(await lab.stop(), 0);
      await eventually(() => assert.match(heard, /^STOPPING=1\|STATUS=stopping$/m));
    },
  );

test(
  "a watchdog that is meant for another process is not fed, and nobody who listens is no reason to stop",
  { skip },
  async () => {
    const path = join(lab.shaped.root, "notify");
    await listen(path);
    await lab.start({ env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "300000", WATCHDOG_PID: "1" } });
    await eventually(() => assert.match(heard, /^READY=1/m));
    listener.kill("SIGKILL");
    await once(listener, "exit");
    lab.kill("SIGHUP");
    await eventually(async () => assert.equal((await lab.client.call("status", {})).state, "ready"));
    assert.doesNotMatch(heard, /WATCHDOG=1/);
  },
);
