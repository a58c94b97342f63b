/** What a daemon's relay has done, in the lines that MCR logs, and how loud they are. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { LAB } from "../../demo/lab.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { PATIENCE, RelayDaemonLab } from "../helpers/relay-daemon-lab.ts";

checkFds();

/** Two rules of the wan, one by each plane, of which the second makes two copies; and one of another input. */
const FILE = `
[relay]
ring_mib = 4
telemetry_seconds = 1

[[relay.rules]]
name = "kernel"
interface = "${LAB.wan}"
group = "239.1.1.1"
port = 5000
engine = "kernel"
outputs = [{ interface = "${LAB.lan}", group = "239.2.2.1" }]

[[relay.rules]]
name = "user"
interface = "${LAB.wan}"
group = "239.1.1.2"
port = 5000
engine = "user"
outputs = [{ interface = "${LAB.lan}", group = "239.2.2.2" }, { interface = "${LAB.lan}", group = "239.2.2.3" }]

[[relay.rules]]
name = "idle"
interface = "${LAB.lan}"
group = "239.1.1.3"
port = 5000
engine = "user"
outputs = [{ interface = "${LAB.wan}", group = "239.2.2.4" }]
`;

test("each input has lines by the interval, with what both planes did, and once more at the end", async () => {
  await using lab = new RelayDaemonLab(FILE);
  await lab.start();
  await lab.carried("kernel", "kernel");
  await lab.carried("user", "user");
  lab.send(30, "239.1.1.1");
  lab.send(20, "239.1.1.2");
  lab.send(7, "239.1.1.2", 4000);
  await lab.hears("239.2.2.1", 30);
  await lab.hears("239.2.2.2", 20);
  await lab.hears("239.2.2.3", 20);
  const bytes = "payload".length;
  /** The line of an input is in the log. @param line times and rates as `#` */
  const logged = (device: string, line: string): void => {
    const log = lab.log.replaceAll(/(?<=\bt_ms=|\bpps=|\bbps=)\d+|\d+(?= pps\))/g, "#");
    assert.ok(log.includes(`info relay.stats: ${device}: ${line}\n`), `${line}\nis not in\n${log}`);
  };
  await eventually(() => {
    logged(LAB.wan, "[STATS] t_ms=# rx=57 tx=70 matched=50 not_matched=7 rx_err=0 tx_err=0 buf_exhaust=0 pipe_err=0");
    logged(LAB.wan, "[STATS:Ingress] recv=57 matched=50 parse_err=0 no_match=7 buf_exhaust=0 (# pps)");
    logged(LAB.wan, `[STATS:Egress] sent=70 submitted=70 errors=0 bytes=${70 * bytes} (# pps)`);
    logged(LAB.wan, `[FLOW_STATS] 239.1.1.1:5000 packets=30 bytes=${30 * bytes} pps=# bps=#`);
    logged(LAB.wan, `[FLOW_STATS] 239.1.1.2:5000 packets=20 bytes=${20 * bytes} pps=# bps=#`);
    logged(LAB.lan, "[STATS:Egress] sent=0 submitted=0 errors=0 bytes=0 (# pps)");
    logged(LAB.lan, "[FLOW_STATS] 239.1.1.3:5000 packets=0 bytes=0 pps=# bps=#");
  }, PATIENCE);
  assert.doesNotMatch(lab.log, /FINAL/);
  // What comes last is in the last lines, though no interval has told of it.
  lab.send(3, "239.1.1.2", 4000);
  lab.send(5, "239.1.1.2");
  await lab.hears("239.2.2.2", 5);
  assert.equal(await lab.stop(), 0);
  logged(LAB.wan, "[STATS:Ingress FINAL] total: recv=65 matched=55 egr_sent=80 filtered=0 no_match=10 buf_exhaust=0");
  logged(LAB.wan, `[STATS:Egress FINAL] total: sent=80 submitted=80 ch_recv=80 errors=0 bytes=${80 * bytes}`);
  logged(LAB.lan, "[STATS:Egress FINAL] total: sent=0 submitted=0 ch_recv=0 errors=0 bytes=0");
});

test("lines, and what workers say, obey the levels of their categories, and another interval disturbs no worker", async () => {
  await using lab = new RelayDaemonLab(FILE);
  await lab.start();
  const stats = (): number => lab.log.split("[STATS]").length - 1;
  const speaks = (): Promise<void> => {
    const before = stats();
    return eventually(() => assert.ok(stats() > before), PATIENCE);
  };
  const fallsSilent = (): Promise<void> =>
    eventually(async () => {
      const before = stats();
      await sleep(2500);
      assert.equal(stats(), before);
    }, PATIENCE);
  const finals = (): number => lab.log.split(`relay.worker: ${LAB.wan}: final: `).length - 1;
  const pids = async (): Promise<(number | null)[]> =>
    (await lab.client.call("relay.workers", {})).workers.map(({ pid }) => pid);
  await lab.carried("user", "user");
  await speaks();
  const before = await pids();
  const reload = async (from: string, to: string): Promise<void> => {
    lab.write("sluice.toml", (text) => text.replace(from, to));
    const { status, stderr } = lab.cli(["reload"]);
    assert.equal(status, 0, stderr);
  };
  await reload("telemetry_seconds = 1\n", "");
  await fallsSilent();
  await reload("ring_mib = 4\n", "ring_mib = 4\ntelemetry_seconds = 1\n");
  await speaks();
  assert.deepEqual(await pids(), before);

  assert.equal(lab.cli(["log", "set", "relay.stats=warning"]).status, 0);
  await fallsSilent();
  // Workers end for a ring of another size, and say so.
  await reload("ring_mib = 4\n", "ring_mib = 5\n");
  await eventually(() => assert.equal(finals(), 1), PATIENCE);
  await lab.carried("user", "user");
  assert.equal(lab.cli(["log", "set", "relay.worker=error"]).status, 0);
  assert.equal(await lab.stop(), 0);
  assert.equal(finals(), 1);
  assert.doesNotMatch(lab.log, /\[STATS:.*FINAL/);
});
