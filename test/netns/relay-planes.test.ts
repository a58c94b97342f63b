/** What holds whichever plane carries a rule: sources, addresses and outputs that are not as they should be, and many rules. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ip } from "../../demo/lab.ts";
import { REASONS } from "../../src/relay/model.ts";
import { Capture } from "../helpers/capture.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { macBytes } from "../helpers/relay-lab.ts";
import { UdpReceiver } from "../helpers/udp-socket.ts";
import { said, type SaidRule, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

/** Longest wait for what is told once a second, on a busy machine, ms. */
const PATIENCE = 20_000;
const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const ID = `${IN}:5000`;
const OUTPUT = { interface: "o1", group: OUT, port: 6000 };

const frames = (count: number, to = IN, more: Partial<Parameters<typeof relayFrame>[0]> = {}): Buffer[] =>
  Array.from({ length: count }, () => relayFrame({ to, ...more }));

for (const engine of ["kernel", "user"] as const) {
  const carried = async (lab: WholeRelay, ...outputs: SaidRule["outputs"]) => {
    const rule = said({ group: IN, outputs, engine });
    await lab.set(rule);
    assert.equal(lab.view(ID).carriedBy, engine, lab.view(ID).kernelReason);
    return rule;
  };

  test(`15: what comes for a port of the host that nobody has open makes no storm of complaints (${engine})`, async () => {
    await using lab = new WholeRelay();
    const rule = said({ group: "10.0.0.1", outputs: [OUTPUT], engine });
    await lab.set(rule);
    lab.net.listen("s1");
    using back = new Capture("src0", lab.net.host);
    const mac = macBytes(lab.net.link("in0").address);
    for (let round = 0; round < 5; round += 1) {
      lab.net.send(frames(100, "10.0.0.1", { from: "10.0.0.2", mac }));
      await lab.net.received("s1", OUT, 100);
    }
    const complaints = back.take().filter((frame) => frame.readUInt16BE(12) === 0x0800 && frame[23] === 1);
    // What the kernel takes never comes to who would complain; of the rest, the kernel complains once a second.
    assert.ok(complaints.length <= (engine === "kernel" ? 0 : 50), `${complaints.length} of 500`);
  });

  test(`16: a source that no route leads to is no matter, though the host's own sockets hear nothing of it (${engine})`, async () => {
    await using lab = new WholeRelay();
    await carried(lab, OUTPUT);
    lab.net.listen("s1");
    using own = new UdpReceiver(lab.net.router, { group: "239.1.1.2", own: "10.0.0.1", port: 5000 });
    for (const to of [IN, "239.1.1.2"]) lab.net.send(frames(10, to, { from: "198.51.100.7" }));
    await lab.net.received("s1", OUT, 10);
    lab.net.send([relayFrame({ to: "239.1.1.2", from: "10.0.0.2", payload: Buffer.from("routed") })]);
    assert.deepEqual(await own.received(1), [Buffer.from("routed")]);
  });

  test(`17: what no rule takes is counted, and goes nowhere (${engine})`, async () => {
    await using lab = new WholeRelay();
    await carried(lab, OUTPUT);
    lab.net.listen("s1", "s2", "s3");
    lab.net.send([...frames(30, "239.1.1.9"), ...frames(20, IN, { port: 5001 }), ...frames(5)]);
    await lab.net.receivedBy(["s1", "s2", "s3"], 5);
    const { cells, counters } = lab.relay.inputs()[0]!.workers[0]!;
    await eventually(() => assert.equal(counters[cells.reasons + REASONS.indexOf("noRule")], 50), PATIENCE);
    assert.deepEqual(await lab.net.receivedBy(["s1", "s2", "s3"], 0), []);
    assert.equal(lab.counted(ID)[0]!["packets"], 5);
  });

  test(`15: what was sent to a group by the host's own hardware address is taken (${engine})`, async () => {
    await using lab = new WholeRelay();
    await carried(lab, OUTPUT);
    lab.net.listen("s1");
    lab.net.send(frames(3, IN, { mac: macBytes(lab.net.link("in0").address) }));
    await lab.net.received("s1", OUT, 3);
  });

  test(`26: 200 rules join 200 groups, where they take from and nowhere else (${engine})`, async () => {
    await using lab = new WholeRelay();
    const groups = Array.from({ length: 200 }, (_, i) => `239.3.${i >> 6}.${i & 63}`);
    await lab.set(...groups.map((group) => said({ group, outputs: [OUTPUT], engine })));
    const others = ["224.0.0.1"];
    await eventually(() => assert.deepEqual(lab.joined("in0").toSorted(), [...others, ...groups].toSorted()), PATIENCE);
    for (const device of ["o1", "o2", "o3"]) assert.deepEqual(lab.joined(device), others);
    await lab.set(said({ group: groups[7]!, outputs: [OUTPUT], engine }));
    await eventually(() => assert.deepEqual(lab.joined("in0").toSorted(), [...others, groups[7]].toSorted()), PATIENCE);
  });

  test(`33: when an output has another address, copies have it too (${engine})`, async () => {
    await using lab = new WholeRelay();
    const rule = await carried(lab, OUTPUT);
    lab.net.listen("s1");
    const from = async (): Promise<string> => {
      lab.net.send(frames(1));
      return (await lab.net.received("s1", OUT, 1))[0]!.from;
    };
    assert.equal(await from(), "10.0.1.1");
    ip(lab.net.router, ["addr del 10.0.1.1/24 dev o1", "addr add 10.0.77.1/24 dev o1"]);
    await lab.set(rule);
    assert.equal(await from(), "10.0.77.1");
  });

  test(`copies have the source that an output says, whoever has that address (${engine})`, async () => {
    await using lab = new WholeRelay();
    ip(lab.net.router, ["link set lo up"]);
    await carried(lab, { ...OUTPUT, source: { kind: "address", address: "10.99.0.1" } });
    lab.net.listen("s1");
    const from = async (): Promise<string> => {
      lab.net.send(frames(1));
      return (await lab.net.received("s1", OUT, 1))[0]!.from;
    };
    for (const lines of [[], ["addr add 10.99.0.1/32 dev lo"], ["addr del 10.99.0.1/32 dev lo"]]) {
      ip(lab.net.router, lines);
      assert.equal(await from(), "10.99.0.1");
    }
    assert.equal(lab.counted(ID)[1]!["sendErrors"], undefined);
  });

  test(`34: an output without an address, or that is gone, keeps no other from its copies (${engine})`, async () => {
    await using lab = new WholeRelay();
    ip(lab.net.router, ["addr flush dev o1"]);
    const rule = await carried(lab, OUTPUT, { ...OUTPUT, interface: "o3" }, { ...OUTPUT, interface: "o2" });
    lab.net.listen("s1", "s2", "s3");
    const reasons = () => lab.view(ID).resolved.outputs.map(({ reason }) => reason);
    assert.deepEqual(reasons(), ["it has no IPv4 address to send from", undefined, undefined]);
    lab.net.send(frames(10));
    await lab.net.received("s2", OUT, 10);
    await lab.net.received("s3", OUT, 10);
    ip(lab.net.router, ["link del o3"]);
    lab.net.send(frames(10));
    await lab.net.received("s2", OUT, 10);
    await eventually(() =>
      assert.deepEqual(
        lab.counted(ID).map(({ packets = 0, sendErrors = 0 }) => [packets, sendErrors]),
        [
          [20, 0],
          [0, 0],
          [10, 10],
          [20, 0],
        ],
      ),
    );
    await lab.set(rule);
    assert.deepEqual(reasons(), ["it has no IPv4 address to send from", "interface o3 is not there", undefined]);
    assert.equal(lab.relay.workers()[0]!.status.restarts, 0);
    lab.net.send(frames(10));
    await lab.net.received("s2", OUT, 10);
    assert.deepEqual(await lab.net.receivedBy(["s1", "s3"], 0), []);
  });
}

test("43: 10,000 rules are carried by a worker, each for its own packets", async (t) => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  const rules = Array.from({ length: 10_000 }, (_, i) =>
    said({ group: IN, port: 1 + i, outputs: [{ ...OUTPUT, port: 20_001 + i }], engine: "user" }),
  );
  // The worker is there, as it is when rules are loaded into a relay that runs.
  await lab.set(rules[0]!);
  const start = performance.now();
  await lab.set(...rules);
  t.diagnostic(`10,000 rules: ${(performance.now() - start).toFixed()} ms`);
  const ports = [1, 2, 4999, 5000, 9999, 10_000];
  lab.net.send(ports.map((port) => relayFrame({ to: IN, port })));
  lab.net.send([relayFrame({ to: IN, port: 10_001 })]);
  const seen = await lab.net.received("s1", OUT, ports.length);
  assert.deepEqual(
    seen.map(({ port }) => port),
    ports.map((port) => port + 20_000),
  );
  await lab.set(rules[4999]!);
  // The one that is left comes last: whatever came before it would be there by then.
  lab.net.send([...ports, 5000].map((port) => relayFrame({ to: IN, port })).toSpliced(3, 1));
  assert.deepEqual(
    (await lab.net.received("s1", OUT, 1)).map(({ port }) => port),
    [25_000],
  );
});
