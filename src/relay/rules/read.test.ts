import assert from "node:assert/strict";
import { test } from "node:test";
import { readRule } from "./read.ts";

const DEFAULTS = { ttl: 3, engine: "auto", origin: "static" } as const;
const read = (values: Record<string, unknown>) =>
  readRule("relay.rules.0", values, (path) => ({ file: "sluice.toml", path }), DEFAULTS);
const RULE = { interface: "eth0", group: "239.1.1.1", port: 5000, outputs: [{ interface: "eth1" }] };

test("what is left out is as it is in what comes in, or as it is everywhere", () => {
  assert.deepEqual(read(RULE), {
    problems: [],
    rule: {
      id: "18302982b59d5f86",
      input: { interface: "eth0", group: "239.1.1.1", port: 5000 },
      outputs: [{ interface: "eth1", group: "239.1.1.1", port: 5000, ttl: 3, source: { kind: "rewrite" } }],
      engine: "auto",
      class: "normal",
      cap: {},
      origin: "static",
    },
  });
});

test("everything can be said, and a host has another TTL than a group", () => {
  const { rule, problems } = read({
    ...RULE,
    id: "x",
    name: "Video",
    source: "10.0.0.7",
    vlan: 10,
    port: "any",
    outputs: [
      { interface: "eth1", group: "192.0.2.1", port: 6000, dscp: 34, source: "preserve" },
      { interface: "eth2", ttl: 9, source: "192.0.2.9" },
    ],
    engine: "user",
    class: "low",
    max_rate: "20Mbit",
    max_packets: 100,
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(rule, {
    id: "x",
    name: "Video",
    input: { interface: "eth0", group: "239.1.1.1", port: 0, source: "10.0.0.7", vlan: 10 },
    outputs: [
      { interface: "eth1", group: "192.0.2.1", port: 6000, ttl: 64, dscp: 34, source: { kind: "preserve" } },
      { interface: "eth2", group: "239.1.1.1", port: 0, ttl: 9, source: { kind: "address", address: "192.0.2.9" } },
    ],
    engine: "user",
    class: "low",
    cap: { bitsPerSecond: 20_000_000, packetsPerSecond: 100 },
    origin: "static",
  });
});

test("addresses are told in their usual form, whatever the user writes", () => {
  const { rule } = read({ ...RULE, group: "FF3E:0:0::1", outputs: [{ interface: "eth1", group: "ff3e:0::2" }] });
  assert.deepEqual([rule?.input.group, rule?.outputs[0]?.group], ["ff3e::1", "ff3e::2"]);
});

const refused: readonly (readonly [change: Record<string, unknown>, says: RegExp])[] = [
  [{ interface: "a b" }, /relay\.rules\.0\.interface: it is "a b", wanted the name of an interface/],
  [{ group: "239.1.1" }, /group: it is "239\.1\.1", wanted the address of a group or a host/],
  [{ group: "0.0.0.0" }, /group: it is "0\.0\.0\.0", wanted/],
  [{ group: "255.255.255.255" }, /group/],
  [{ group: "239.0.0.0/8" }, /group: it is "239\.0\.0\.0\/8", wanted/],
  [{ group: "127.0.0.1" }, /never leaves this host/],
  [{ group: "::1" }, /never leaves this host/],
  [{ group: "ff01::5" }, /never leaves this host/],
  [{ port: 65_536 }, /port: it is 65536, wanted a port up to 65535, or "any"/],
  [{ port: "5000" }, /port: it is "5000"/],
  [{ source: "239.1.1.1" }, /source: it is "239\.1\.1\.1", a group; wanted the address of a host/],
  [{ source: "2001:db8::1" }, /source: it is IPv6, and the group is IPv4/],
  [{ vlan: 4095 }, /vlan: it is 4095, wanted a whole number from 1 to 4094/],
  [{ outputs: [] }, /outputs: it is an array, wanted one table for each output, and one at least/],
  [{ outputs: [{}] }, /relay\.rules\.0\.outputs\.0\.interface/],
  [{ outputs: [{ interface: "eth1", ttl: 0 }] }, /outputs\.0\.ttl: it is 0, wanted a whole number from 1 to 255/],
  [{ outputs: [{ interface: "eth1", dscp: 64 }] }, /dscp/],
  [
    { outputs: [{ interface: "eth1", source: "any" }] },
    /source: it is "any", wanted "rewrite", "preserve", or an address/,
  ],
  [{ outputs: [{ interface: "eth1", source: "2001:db8::1" }] }, /source: it is IPv6, and what comes in is IPv4/],
  [{ outputs: [{ interface: "eth1", group: "ff3e::1" }] }, /group: it is IPv6, and what comes in is IPv4/],
  [{ outputs: [{ interface: "eth0" }] }, /outputs: number 1 sends to 239\.1\.1\.1 on eth0, where it comes from/],
  [{ outputs: [{ interface: "eth0", port: "any" }] }, /outputs: number 1 sends to 239\.1\.1\.1 on eth0, where/],
  [{ port: 0, outputs: [{ interface: "eth0", port: 6000 }] }, /outputs: number 1 sends to 239\.1\.1\.1 on eth0, where/],
  [{ outputs: [{ interface: "eth1", port: 0 }, { interface: "eth1" }] }, /two of them send to .* port 5000 on eth1/],
  [{ port: 0, outputs: [{ interface: "eth1" }, { interface: "eth1", port: "any" }] }, /two .* port any on eth1/],
  [{ outputs: [{ interface: "eth1" }, { interface: "eth1" }] }, /two of them send to 239\.1\.1\.1 port 5000 on eth1/],
  [{ outputs: [{ interface: "eth1", tll: 1 }] }, /tll/],
  [{ engine: "fast" }, /engine: it is "fast", wanted "auto" or "kernel" or "user"/],
  [{ class: "top" }, /class/],
  [{ max_rate: 5 }, /max_rate: it is 5, wanted a rate, such as "20Mbit"/],
  [{ max_packets: 0 }, /max_packets/],
  [{ name: "" }, /name: it is "", wanted a text of 1 to 64 characters/],
  [{ name: "a\nb" }, /name: it is "a\\nb", wanted a text/],
  [{ id: ".." }, /id: it is "\.\.", wanted a text of 1 to 64 characters, and not dots alone/],
  [{ max_rate: "0bit" }, /max_rate: it is "0bit", wanted a rate/],
  [{ max_rate: "0.5bit" }, /max_rate: it is "0\.5bit", wanted a rate/],
  [{ max_rate: "99999tbit" }, /max_rate: it is "99999tbit", wanted a rate/],
];

test("a rate that is no whole number of bits is held to in whole ones", () => {
  assert.deepEqual(read({ ...RULE, max_rate: "20.3333kbit" }).rule?.cap, { bitsPerSecond: 20_333 });
});

for (const [change, says] of refused)
  test(`refused: ${JSON.stringify(change)}`, () => {
    const { rule, problems } = read({ ...RULE, ...change });
    assert.equal(rule, undefined);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.message, says);
  });

test("everything that is wrong is told at once", () => {
  const { problems } = read({ group: 1, port: -1, outputs: [{ ttl: 300 }], vlan: "x", nonsense: true });
  assert.deepEqual(
    problems.map(({ code }) => code),
    [
      "CONFIG_KEY_UNKNOWN",
      "CONFIG_MISSING",
      "CONFIG_VALUE",
      "CONFIG_VALUE",
      "CONFIG_VALUE",
      "CONFIG_MISSING",
      "CONFIG_VALUE",
    ],
  );
  assert.deepEqual(
    read({ ...RULE, group: "nobody", outputs: [{ interface: "eth1", group: "ff3e::1", ttl: 0 }] }).problems.length,
    2,
    "outputs are read where the input cannot be, and not compared with it",
  );
  const { problems: outputs } = read({ ...RULE, outputs: [{ ttl: 300 }, { interface: "eth1", dscp: -1 }] });
  assert.equal(outputs.length, 3);
});
