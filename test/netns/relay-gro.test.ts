/** Inputs that join the packets of a stream: both planes take many as one, and each of them arrives as it was. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { addressBytes } from "../../src/core/prefix.ts";
import { ifNameToIndex } from "../../src/linux/ffi.ts";
import { knowsAggregates } from "../../src/linux/packet/ring.ts";
import { Generator } from "../../src/relay/traffic/generator.ts";
import { Sink } from "../../src/relay/traffic/sink.ts";
import { Capture } from "../helpers/capture.ts";
import { checkFds } from "../helpers/leaks.ts";
import { said, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const PORT = 5000;
const PACKETS = 10_000;
const SIZE = 1000;
const never = new AbortController().signal;

const features = (lab: WholeRelay): string =>
  lab.net.router.run(() => execFileSync("ethtool", ["-k", "in0"], { encoding: "utf8" }));

for (const engine of ["kernel", "user"] as const) {
  test(`packets that came in as one leave as many, by the ${engine} plane`, async (t) => {
    if (!knowsAggregates()) return t.skip("kernels before 6.2 do not say how long the datagrams of an aggregate are");
    await using lab = new WholeRelay({}, { gro: "on" });
    // The sender cuts what it sends, as a card would, so that only the input joins it.
    lab.net.ethtool(lab.net.host, "src0", "gso", "off", "tx-udp-segmentation", "off");
    await lab.set(said({ group: IN, port: PORT, engine, outputs: [{ interface: "o1", group: OUT }] }));
    const text = features(lab);
    assert.match(text, /generic-receive-offload: on/);
    assert.match(text, /rx-udp-gro-forwarding: on/);
    const place = (device: string, group: string) => ({
      device,
      ifindex: lab.net.host.run(() => ifNameToIndex(device)),
      group: addressBytes(group),
      port: PORT,
    });
    using seen = new Capture("in0", lab.net.router);
    await using sink = await Sink.open([place("s1", OUT)], lab.net.host);
    const plan = {
      targets: [{ ...place("src0", IN), ttl: 4 }],
      rate: 50_000,
      size: SIZE,
      packets: PACKETS,
      seconds: 60,
      run: 1,
    };
    using generator = lab.net.host.run(() => new Generator(plan));
    const [came] = await Promise.all([sink.run({ seconds: 60, idle: 2 }, never), generator.run(never)]);
    const [{ packets, bytes, lost, duplicates, reordered }] = came[0]!.streams as [(typeof came)[0]["streams"][0]];
    assert.deepEqual([packets, bytes, lost, duplicates, reordered], [PACKETS, PACKETS * SIZE, 0, 0, 0]);
    assert.ok(
      seen.take().some((frame) => frame.length > 2 * SIZE),
      "nothing was joined",
    );
    const counts = { packets: PACKETS, bytes: PACKETS * SIZE };
    assert.deepEqual(lab.counted(`${IN}:${PORT}`), [counts, counts]);
    return undefined;
  });
}

test("an input is left as it is unless it is said, whatever it joins", async () => {
  await using lab = new WholeRelay();
  lab.net.ethtool(lab.net.router, "in0", "gro", "off", "rx-udp-gro-forwarding", "on");
  const before = features(lab);
  assert.match(before, /generic-receive-offload: off/);
  assert.match(before, /rx-udp-gro-forwarding: on/);
  await lab.relay.setRules([said({ group: IN, port: PORT, outputs: [{ interface: "o1", group: OUT }] })]);
  assert.equal(features(lab), before);
});
