/** The relay as a whole: rules in, copies out, by whichever plane, while the box changes under it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ip } from "../../demo/lab.ts";
import { COUNTERS, REASONS } from "../../src/relay/model.ts";
import { eventually } from "../helpers/eventually.ts";
import { checkFds } from "../helpers/leaks.ts";
import { stream } from "../helpers/packet-stream.ts";
import { relayFrame } from "../helpers/relay-frame.ts";
import { macBytes } from "../helpers/relay-lab.ts";
import { said, type SaidRule, WholeRelay } from "../helpers/whole-relay.ts";

checkFds();

const IN = "239.1.1.1";
const OUT = "239.2.2.2";
const RULE: SaidRule = { group: IN, outputs: [{ interface: "o1", group: OUT, port: 6000 }] };
const ID = `${IN}:5000`;

const frames = (count: number, to = IN, payload = 100): Buffer[] =>
  Array.from({ length: count }, (_, i) => relayFrame({ to, payload: Buffer.alloc(payload, i) }));

test("8, 36: a rule is carried by the kernel, what does not fit an output by the worker, and every packet is counted once", async () => {
  await using lab = new WholeRelay();
  ip(lab.net.router, ["link set o1 mtu 1000"]);
  ip(lab.net.host, ["link set s1 mtu 1000"]);
  lab.net.listen("s1");
  await lab.set(said(RULE));
  const { carriedBy, joined: isJoined } = lab.view(ID);
  assert.equal(carriedBy, "kernel");
  assert.equal(isJoined ?? true, true);
  lab.net.send(frames(50));
  await lab.net.received("s1", OUT, 50);
  // Fragments have no ports; only the first is seen as UDP, and it is cut short.
  lab.net.send(frames(3, IN, 1300));
  await eventually(() => {
    const [rule, output] = lab.counted(ID);
    assert.deepEqual(
      [rule, output],
      [
        { packets: 53, bytes: 50 * 100 + 3 * 1300 },
        { packets: 53, bytes: 50 * 100 + 3 * 1300 },
      ],
    );
  });
});

test("44: engines: the kernel, the worker, and back under traffic, with neither loss nor duplicates", async () => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  await lab.set(said({ ...RULE, engine: "user" }));
  assert.deepEqual([lab.view(ID).carriedBy, lab.view(ID).kernelReason], ["user", "the rule asks for the user plane"]);
  lab.net.send(frames(20));
  await lab.net.received("s1", OUT, 20);
  let sent = 0;
  for (const engine of ["kernel", "user", "kernel", "user", "auto"] as const) {
    sent += await lab.sendDuring(IN, () => lab.relay.setRules([said({ ...RULE, engine })]));
  }
  await lab.net.received("s1", OUT, sent);
  assert.equal(lab.counted(ID)[0]!["packets"], 20 + sent);
  assert.equal(lab.counted(ID)[1]!["packets"], 20 + sent);
});

test("15: packets to any number of the host's addresses are taken, of which a filter has room for forty", async () => {
  await using lab = new WholeRelay();
  const hosts = Array.from({ length: 45 }, (_, i) => `10.0.5.${i + 1}`);
  ip(
    lab.net.router,
    hosts.map((host) => `addr add ${host}/32 dev in0`),
  );
  lab.net.listen("s1");
  const taken = hosts.map((group) => said({ ...RULE, group, engine: "user" }));
  // As many rules for one address are one address.
  const ports = hosts.map((_, i) => said({ ...RULE, group: "10.0.0.1", port: 6000 + i, engine: "user" }));
  const mac = macBytes(lab.net.link("in0").address);
  await lab.set(...ports);
  lab.net.send(hosts.map((_, i) => relayFrame({ to: "10.0.0.1", mac, port: 6000 + i })));
  await lab.net.received("s1", OUT, hosts.length);
  await lab.set(...taken, ...ports);
  lab.net.send(hosts.map((to) => relayFrame({ to, mac })));
  await lab.net.received("s1", OUT, hosts.length);
});

test("28: several workers have rings for each kind of frames, whichever kind was there first", async () => {
  await using lab = new WholeRelay({}, { workers: 2 });
  lab.net.listen("s1");
  const tagged = said({ ...RULE, id: "tagged", vlan: 7, engine: "user" });
  await lab.set(tagged);
  lab.net.send(Array.from({ length: 10 }, (_, i) => relayFrame({ to: IN, vlan: 7, fromPort: 40_000 + i })));
  await lab.net.received("s1", OUT, 10);
  await lab.set(tagged, said({ ...RULE, engine: "user" }));
  lab.net.send(Array.from({ length: 10 }, (_, i) => relayFrame({ to: IN, fromPort: 40_000 + i })));
  await lab.net.received("s1", OUT, 10);
  assert.deepEqual([lab.counted("tagged")[0]!["packets"], lab.counted(ID)[0]!["packets"]], [10, 10]);
});

test("36: after a restart under traffic no rule has counted another's packets", async () => {
  await using lab = new WholeRelay();
  const [busy, ...idle] = [IN, "239.1.1.2", "239.1.1.3"].map((group) => said({ ...RULE, group, engine: "kernel" }));
  const running = await stream(lab.net.sender().fd, frames(1), { rate: 5000, limit: 300_000 });
  for (const rules of [
    [busy!, ...idle],
    [...idle, busy!],
    [idle[0]!, busy!, idle[1]!],
  ]) {
    await lab.restart();
    await lab.set(...rules);
    await sleep(100);
    assert.deepEqual(
      idle.flatMap(({ id }) => lab.counted(id)),
      [{}, {}, {}, {}],
    );
    assert.ok(lab.counted(ID)[0]!["packets"]! > 0);
  }
  await running.stop();
});

test("several may look at a rule's packets: who ends first takes them from nobody", async () => {
  await using lab = new WholeRelay();
  await lab.set(said(RULE));
  const short = lab.relay.trace(ID, 40, 100);
  let traced = 0;
  const long = lab.relay.trace(ID, 40, 20_000).then(({ length }) => (traced = length));
  assert.deepEqual(await short, []);
  assert.equal(lab.view(ID).carriedBy, "user");
  await eventually(() => {
    lab.net.send(frames(1));
    assert.equal(traced, 40);
  }, 20_000);
  await long;
  assert.equal(lab.view(ID).carriedBy, "kernel");
});

for (const engine of ["kernel", "user"] as const)
  test(`32, 33: a rule waits for its interfaces, and goes on by itself when they come, go, and come back as others (${engine})`, async () => {
    await using lab = new WholeRelay({ outputs: 2 });
    const rule = said({
      ...RULE,
      engine,
      interface: "late",
      outputs: [...RULE.outputs, { interface: "later", group: OUT, port: 6000 }],
    });
    await lab.set(rule);
    assert.deepEqual(
      [lab.view(ID).resolved.state, lab.view(ID).resolved.reason],
      ["pending", "interface late is not there"],
    );
    const appear = (): void =>
      ip(lab.net.router, [
        `link add late type veth peer name far netns ${lab.net.host.path}`,
        "addr add 10.9.0.1/24 dev late",
        "link set late up",
      ]);
    for (let round = 1; round <= 2; round += 1) {
      appear();
      ip(lab.net.host, ["link set far up"]);
      await lab.set(rule);
      const { resolved } = lab.view(ID);
      assert.equal(resolved.state, "active");
      assert.deepEqual(
        resolved.outputs.map(({ reason }) => reason),
        [undefined, "interface later is not there"],
      );
      await eventually(() => assert.ok(lab.joined("late").includes(IN)));
      if (round === 1) lab.net.listen("s1");
      lab.net.send(frames(10), "far");
      await lab.net.received("s1", OUT, 10);
      assert.equal(lab.counted(ID)[0]!["packets"], 10 * round, "what was counted before is not forgotten");
      ip(lab.net.router, ["link set late down"]);
      await lab.set(rule);
      assert.deepEqual(
        [lab.view(ID).resolved.state, lab.view(ID).resolved.reason],
        ["paused", "interface late is down"],
      );
      ip(lab.net.router, ["link set late up"]);
      await lab.set(rule);
      assert.equal(lab.view(ID).resolved.state, "active");
      lab.net.forget("far");
      ip(lab.net.router, ["link del late"]);
      await lab.set(rule);
      assert.equal(lab.view(ID).resolved.state, "pending");
    }
  });

/** Packets that came to workers, and were for no rule. */
const withoutRule = (lab: WholeRelay): number =>
  lab.relay
    .inputs()
    .flatMap(({ workers }) => workers)
    .reduce((sum, { counters, cells }) => sum + counters[cells.reasons + REASONS.indexOf("noRule")]!, 0);

for (const engine of ["kernel", "user"] as const)
  test(`18, 19, 20: rules come and go under traffic, and others lose nothing (${engine})`, async () => {
    await using lab = new WholeRelay();
    lab.net.listen("s1", "s2");
    const other = said({ group: "239.1.1.2", outputs: [{ interface: "o2", group: "239.2.2.3" }], engine });
    const steady = said({ ...RULE, engine });
    await lab.set(steady);
    let [sent, unwanted] = [0, 0];
    for (const rules of [[steady, other], [steady], [other, steady], [steady]]) {
      sent += await lab.sendDuring(IN, () => lab.set(...rules));
      lab.net.send(frames(10, "239.1.1.2"));
      await lab.net.received("s2", "239.2.2.3", rules.includes(other) ? 10 : 0);
      if (!rules.includes(other)) unwanted += 10;
      // Those that nobody wants have been looked at before the next rule comes, which would take them.
      await eventually(() => assert.equal(withoutRule(lab), unwanted));
      const group = (): boolean => lab.joined("in0").includes("239.1.1.2");
      await eventually(() =>
        assert.equal(group(), rules.includes(other), "the group is joined for as long as a rule is there"),
      );
    }
    await lab.net.received("s1", OUT, sent);
  });

test("15: a host that nobody knows yet is asked for by the worker, and then the kernel has it", async () => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  await lab.set(said({ group: IN, outputs: [{ interface: "o1", group: "10.0.1.2", port: 6000 }] }));
  assert.deepEqual(
    [lab.view(ID).carriedBy, lab.view(ID).kernelReason],
    ["user", "the hardware address of the next host on o1 is not known yet"],
  );
  lab.net.send(frames(5));
  await lab.net.received("s1", "10.0.1.2", 5);
  await lab.relay.reconcile();
  assert.equal(lab.view(ID).carriedBy, "kernel");
  lab.net.send(frames(5));
  await lab.net.received("s1", "10.0.1.2", 5);
});

test("27: two sources of one group, and any other, each by its own rule on both planes", async () => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  const by = (source: string | undefined, group: string, engine: "kernel" | "user") =>
    said({
      id: `${source}`,
      group: IN,
      ...(source !== undefined && { source }),
      outputs: [{ interface: "o1", group }],
      engine,
    });
  await lab.set(
    by("10.0.0.7", "239.7.0.1", "user"),
    by("10.0.0.8", "239.8.0.1", "kernel"),
    by(undefined, "239.9.0.1", "kernel"),
  );
  const from = (source: string): Buffer => relayFrame({ from: source, to: IN });
  lab.net.send([from("10.0.0.7"), from("10.0.0.8"), from("10.0.0.9"), from("10.0.0.9")]);
  await lab.net.received("s1", "239.7.0.1", 1);
  await lab.net.received("s1", "239.8.0.1", 1);
  await lab.net.received("s1", "239.9.0.1", 2);
});

test("41: frames of a VLAN are only taken by its rule, once, on either plane", async () => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  for (const engine of ["user", "kernel", "auto"] as const) {
    await lab.set(
      said({ id: "tagged", group: IN, vlan: 10, outputs: [{ interface: "o1", group: "239.7.0.1" }], engine }),
      said({ id: "plain", group: IN, outputs: [{ interface: "o1", group: "239.8.0.1" }], engine }),
    );
    lab.net.send([relayFrame({ to: IN, vlan: 10 }), relayFrame({ to: IN, vlan: 11 }), relayFrame({ to: IN })]);
    await lab.net.received("s1", "239.7.0.1", 1);
    await lab.net.received("s1", "239.8.0.1", 1);
  }
});

test("28: two workers share the flows of an input, and each packet is taken once", async () => {
  await using lab = new WholeRelay({}, { workers: 2, pinning: { in0: [0, 1] } });
  lab.net.listen("s1");
  await lab.set(said({ ...RULE, engine: "user" }));
  const flows = Array.from({ length: 40 }, (_, i) =>
    relayFrame({ to: IN, from: `192.0.2.${1 + i}`, fromPort: 4000 + i }),
  );
  for (let round = 0; round < 5; round += 1) {
    lab.net.send(flows);
    await lab.net.received("s1", OUT, flows.length);
  }
  await eventually(() => assert.equal(lab.counted(ID)[0]!["packets"], 5 * flows.length));
  const [first, second] = lab.relay
    .inputs()[0]!
    .workers.map(({ counters }) => counters[COUNTERS.length * lab.view(ID).resolved.slot]!);
  assert.ok(first! > 0 && second! > 0, `${first} and ${second}: both have some`);
});

test("the latency profile carries the same", async () => {
  await using lab = new WholeRelay({}, { profile: "latency" });
  lab.net.listen("s1");
  await lab.set(said({ ...RULE, engine: "user" }));
  lab.net.send(frames(50));
  await lab.net.received("s1", OUT, 50);
});

test("IPv6 and sources that are kept go by a worker like anything else", async () => {
  await using lab = new WholeRelay();
  lab.net.listen("s1");
  for (const engine of ["user", "kernel"] as const) {
    await lab.set(
      said({ ...RULE, engine, outputs: [{ interface: "o1", group: OUT, source: { kind: "preserve" } }] }),
      said({
        group: "ff3e::1",
        engine,
        outputs: [{ interface: "o1", group: "ff3e::2", source: { kind: "preserve" } }],
      }),
    );
    lab.net.send([relayFrame({ to: IN, from: "192.0.2.77" }), relayFrame({ to: "ff3e::1", from: "2001:db8::77" })]);
    const [four] = await lab.net.received("s1", OUT, 1);
    const [six] = await lab.net.received("s1", "ff3e::2", 1);
    assert.deepEqual([four!.from, six!.from], ["192.0.2.77", "2001:db8::77"], engine);
  }
});
