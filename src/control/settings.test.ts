import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDocument } from "../core/config-table.ts";
import { DEFAULT_SETTINGS, readSettings, SETTINGS_KEYS } from "./settings.ts";

function read(toml: string) {
  const document = parseDocument(toml, "/etc/sluice/sluice.toml");
  assert.ok(!("problem" in document));
  const { settings, problems } = readSettings(document);
  return { settings, problems: problems.map(({ message, where }) => `${where?.line}: ${message}`) };
}

test("nothing said is what holds by default", () => {
  assert.deepEqual(read(""), { settings: DEFAULT_SETTINGS, problems: [] });
  assert.deepEqual(read("[shaper]\nlan = 1\n").problems, []);
});

test("every key takes its example", () => {
  const toml = Object.entries(SETTINGS_KEYS).map(
    ([table, keys]) =>
      `[${table}]\n${Object.entries(keys)
        .map(([key, example]) => `${key} = ${example}\n`)
        .join("")}`,
  );
  const { settings, problems } = read(toml.join("\n"));
  assert.deepEqual(problems, []);
  assert.deepEqual(settings.api.listen, { host: "127.0.0.1", port: 9125 });
  assert.deepEqual(settings.log, { "": "info", shaper: "debug" });
});

test("paths are relative to the file's folder", () => {
  const { settings } = read('[bakery]\nfile = "tc.txt"\n[api]\ntoken_file = "secret/token"\n');
  assert.equal(settings.bakery.file, "/etc/sluice/tc.txt");
  assert.equal(settings.api.tokenFile, "/etc/sluice/secret/token");
});

test("everything that is wrong is told at once, with its line", () => {
  const toml = [
    "[daemon]",
    'drift = "ignore"',
    "[api]",
    'group = "Not A Group"',
    'listen = "192.0.2.1:80"',
    "[log]",
    'levels = "loud"',
    "level = 3",
    "[bakery]",
    'mode = "dry"',
  ];
  const { problems } = read(toml.join("\n"));
  assert.equal(problems.length, 7, problems.join("\n"));
  for (const [line, pattern] of [
    [2, /daemon\.drift: it is "ignore", wanted "heal" or "report"/],
    [4, /api\.group/],
    [5, /loopback.*proxy/],
    [5, /token_file/],
    [7, /log\.levels/],
    [8, /log\.level, .*did you mean "levels"/],
    [10, /bakery\.mode/],
  ] as const)
    assert.ok(
      problems.some((text) => text.startsWith(`${line}: `) && pattern.test(text)),
      `${line} ${pattern}\n${problems.join("\n")}`,
    );
});

test("a table must be one", () => {
  assert.match(read("api = 3\n").problems[0]!, /^1: Cannot use api: it is no table/);
});
