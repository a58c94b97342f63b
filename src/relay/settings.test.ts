import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "../core/config-table.ts";
import { readRelay } from "./settings.ts";

function read(toml: string) {
  const document = parseDocument(toml, "sluice.toml");
  if ("problem" in document) assert.fail(document.problem.message);
  return readRelay(document);
}

const RULE = `[[relay.rules]]
interface = "eth0"
group = "239.1.1.1"
port = 5000
outputs = [{ interface = "eth1" }]
`;

test("without a table there is nothing, and an empty one has what is usual", () => {
  assert.deepEqual(read(""), { problems: [] });
  assert.deepEqual(read("[relay]"), {
    problems: [],
    config: {
      settings: {
        ttl: 1,
        engine: "auto",
        profile: "throughput",
        workers: 1,
        ringBytes: 32 * 2 ** 20,
        gro: "keep",
        telemetrySeconds: 0,
        pinning: {},
      },
      rules: [],
    },
  });
});

test("rules have the settings' TTL and engine unless they say otherwise", () => {
  const { config, problems } = read(`[relay]\nttl = 4\nengine = "user"\n${RULE}`);
  assert.deepEqual(problems, []);
  const { rule } = config!.rules[0]!;
  assert.deepEqual([rule.outputs[0]!.ttl, rule.engine, rule.origin], [4, "user", "static"]);
});

test("whatever is wrong is told with its line, in each rule and among them", () => {
  const { problems } = read(
    `[relay]
workers = 0
pinning = { eth0 = [] }
${RULE}
${RULE}ttl = 1
${RULE.replace("5000", "70000")}`,
  );
  assert.deepEqual(
    problems.map(({ code, where }) => [code, where?.line]),
    [
      ["CONFIG_VALUE", 2],
      ["CONFIG_VALUE", 3],
      ["CONFIG_KEY_UNKNOWN", 15],
      ["CONFIG_VALUE", 19],
    ],
  );
  const other = RULE.replace("5000", "5001");
  assert.deepEqual(
    read(`${RULE}id = "a"\n${other}name = "a"\n`).problems.map(({ message, where }) => [message, where?.line]),
    [['relay.rules.1 and relay.rules.0 are the same: name "a" of the one is the id of the other', 7]],
  );
  assert.deepEqual(read(`${RULE}id = "a"\nname = "a"\n`).problems, []);
  const twice = read(`${RULE}name = "a"\n${RULE}name = "a"\n`).problems;
  assert.deepEqual(
    twice.map(({ code, message, where }) => [code, message, where?.line]),
    [
      ["RELAY_TWICE", "relay.rules.1 and relay.rules.0 are the same: 239.1.1.1 port 5000 on eth0", 7],
      ["RELAY_TWICE", 'relay.rules.1 and relay.rules.0 are the same: id "18302982b59d5f86"', 7],
      ["RELAY_TWICE", 'relay.rules.1 and relay.rules.0 are the same: name "a"', 7],
    ],
  );
});

test("outputs have lines of their own where each is a table below its rule", () => {
  const rule = (outputs: string) => RULE.replace(/outputs.*/, outputs);
  const table = '[[relay.rules.outputs]]\ninterface = "eth1"\nttl = 999';
  const { problems } = read([rule(`${table}\n${table}`), rule(table), rule("outputs = [\n{ ttl = 999 }]")].join(""));
  assert.deepEqual(
    problems.map(({ message, where }) => [/relay\.rules\.\d\.outputs\.\d\.\w+/.exec(message)?.[0], where?.line]),
    [
      ["relay.rules.0.outputs.0.ttl", 7],
      ["relay.rules.0.outputs.1.ttl", 10],
      ["relay.rules.1.outputs.0.ttl", 17],
      ["relay.rules.2.outputs.0.interface", 22],
      ["relay.rules.2.outputs.0.ttl", 22],
    ],
  );
});

test("processors are those of interfaces", () => {
  assert.deepEqual(read("[relay]\npinning = { eth0 = [0, 1], wg0 = [3] }").config?.settings.pinning, {
    eth0: [0, 1],
    wg0: [3],
  });
  for (const bad of ['{ "a b" = [0] }', "{ eth0 = [] }", "{ eth0 = [-1] }", "{ eth0 = [1024] }", "{ eth0 = 1 }", "[0]"])
    assert.match(
      read(`[relay]\npinning = ${bad}`).problems[0]!.message,
      /relay\.pinning: .*wanted numbers of proc/,
      bad,
    );
});

test("telemetry is told by whole seconds, up to a day", () => {
  assert.equal(read("[relay]\ntelemetry_seconds = 10").config?.settings.telemetrySeconds, 10);
  for (const bad of ["0", "0.5", "86401", '"10 s"', "true"])
    assert.match(
      read(`[relay]\ntelemetry_seconds = ${bad}`).problems[0]!.message,
      /relay\.telemetry_seconds: .*wanted a whole number from 1 to 86400/,
      bad,
    );
});

test("24: rules that lead back are warned of, and too many outputs are refused", () => {
  const back = RULE.replace("eth1", "eth9").replace("eth0", "eth1").replace("eth9", "eth0");
  const [cycle] = read(RULE + back).problems;
  assert.deepEqual([cycle?.code, cycle?.severity], ["RELAY_CYCLE", "warning"]);
  assert.match(cycle!.message, /239\.1\.1\.1 port 5000 on eth0 -> 239\.1\.1\.1 port 5000 on eth1 -> .* on eth0/);
  const outputs = Array.from({ length: 40_000 }, (_, i) => `{ interface = "eth1", port = ${i + 1} }`).join(", ");
  const [full] = read(RULE.replace('{ interface = "eth1" }', outputs)).problems;
  assert.equal(full?.code, "RELAY_FULL");
});
