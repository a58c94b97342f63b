import assert from "node:assert/strict";
import { test } from "node:test";
import { SluiceError } from "../../core/errors.ts";
import { importMcr } from "./import.ts";

const CONFIG = `{
  // Comments and all that JSON5 allows.
  pinning: { eth0: [0, 1] },
  multicast_ttl: 5,
  rules: [
    {
      name: 'video',
      input: { interface: "eth0", group: "239.1.1.1", port: 5000, },
      outputs: [
        { group: "239.2.2.2", port: 6000, interface: "eth1", ttl: 8 },
        { group: "10.0.0.7", port: 7000, interface: "wg0" },
      ],
    },
    { input: { interface: "eth0", group: "239.1.1.9", port: 0, protocol: "esp" }, outputs: [] },
  ],
  pim: { enabled: true },
}`;

test("38: rules, TTL and pinning are carried over, and what is not is named", () => {
  const { toml, rules, notes, warnings } = importMcr(CONFIG, "mcr.json5");
  assert.equal(rules, 1);
  assert.deepEqual(warnings, []);
  assert.equal(notes.length, 2);
  assert.match(notes[0]!, /^pim is left out/);
  assert.match(notes[1]!, /^1 of its rules are left out: they are not about UDP/);
  assert.equal(
    toml.trim(),
    `[relay]
ttl = 5

[relay.pinning]
eth0 = [ 0, 1 ]

[[relay.rules]]
name = "video"
interface = "eth0"
group = "239.1.1.1"
port = 5000

[[relay.rules.outputs]]
interface = "eth1"
group = "239.2.2.2"
port = 6000
ttl = 8

[[relay.rules.outputs]]
interface = "wg0"
group = "10.0.0.7"
port = 7000`,
  );
});

test("rules that MCR does nothing for are left out, as is a TTL that it does not heed", () => {
  const { toml, rules, notes } = importMcr(
    `{
      rules: [
        { name: "", input: { interface: "eth0", group: "239.1.1.1", port: 1 }, outputs: [
          { interface: "eth1", group: "192.0.2.1", port: 1, ttl: 9 },
          { interface: "eth1", group: "224.1.1.1", port: 1, ttl: 9 },
        ] },
        { input: { interface: "eth0", group: "239.1.1.1", port: 2 }, outputs: [] },
      ],
      pim: null,
      msdp: {},
      nonsense: 1,
    }`,
    "mcr.json5",
  );
  assert.equal(rules, 1);
  assert.deepEqual([...toml.matchAll(/^(?:ttl|name).*/gm)].flat(), ["ttl = 9"]);
  assert.deepEqual(
    notes.map((note) => note.split(":")[0]),
    [
      "msdp is left out",
      "nonsense is left out",
      "1 of its rules are left out",
      "The ttl of outputs of $.rules[0] to hosts is left out",
    ],
  );
});

const problemsOf = (text: string): readonly (readonly [message: string, path: string | undefined])[] => {
  try {
    importMcr(text, "mcr.json5");
  } catch (error) {
    assert.ok(error instanceof SluiceError);
    return error.problems.map(({ message, where }) => [message, where?.path]);
  }
  return assert.fail("it was taken");
};

test("parts of another kind are refused, every one of them", () => {
  assert.deepEqual(problemsOf(`{ rules: {}, pinning: [0] }`), [
    ["Cannot read the configuration of MCR: $.rules is a table, wanted an array", "$.rules"],
    ["Cannot read the configuration of MCR: $.pinning is an array, wanted an object", "$.pinning"],
  ]);
  assert.deepEqual(
    problemsOf(`{ rules: [7, { input: 7, outputs: 7 }, { outputs: [7] }] }`).map(([, path]) => path),
    ["$.rules[0]", "$.rules[1].input", "$.rules[1].outputs", "$.rules[2].outputs[0]"],
  );
});

test("what is wrong is told at its place in the configuration of MCR", () => {
  const good = `{ input: { interface: "eth0", group: "239.1.1.1", port: 1 }, outputs: [{ interface: "eth1", ttl: 1 }] }`;
  const esp = good.replace("port: 1", 'port: 0, protocol: "esp"');
  const bad = good.replace("port: 1", "port: 70000").replace("ttl: 1", "ttl: 0");
  const places = (text: string) => problemsOf(text).map(([, path]) => path);
  assert.deepEqual(places(`{ rules: [${esp}, ${good.replace("port: 1", "port: 70000")}] }`), ["$.rules[1].input.port"]);
  assert.deepEqual(places(`{ rules: [${esp}, ${bad.replace("70000", "1")}] }`), ["$.rules[1].outputs[0].ttl"]);
  assert.deepEqual(places(`{ rules: [${esp}, ${good}, ${good.replace("eth1", "eth2")}] }`), [
    "$.rules[2]",
    "$.rules[2]",
  ]);
  assert.deepEqual(places(`{ rules: [{}] }`), ["$.rules[0]", "$.rules[0]", "$.rules[0]", "$.rules[0]"]);
  assert.deepEqual(places(`{ multicast_ttl: 0, pinning: { eth0: [] } }`), ["$.multicast_ttl", "$.pinning"]);
});

test("a text that is no JSON5 is refused with its place, and rules that cannot be with all their faults", () => {
  assert.throws(() => importMcr("{ rules: [\n ,]}", "mcr.json5"), /mcr\.json5:2:2: error: .*invalid character ','/);
  assert.throws(() => importMcr("7", "mcr.json5"), /it is no object/);
  const bad = `{ rules: [{ input: { interface: "eth0", port: 70000 }, outputs: [{ interface: "eth1", ttl: 0 }] }, {}] }`;
  assert.throws(
    () => importMcr(bad, "mcr.json5"),
    ({ problems }: { problems: { message: string }[] }) => {
      const text = problems.map(({ message }) => message).join("\n");
      for (const part of ["relay.rules.0.group", "relay.rules.0.port", "relay.rules.1.interface"])
        assert.ok(text.includes(part), `${part} in ${text}`);
      return true;
    },
  );
});
