import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEnvironment, variablesOf } from "./environment.ts";
import { parseLuaFlags } from "./flags.ts";
import { luaSettings } from "./lua.ts";
import { parseUci } from "./uci.ts";

const GOOD = {
  SQMA_UPLOAD_INTERFACE: "wan",
  SQMA_DOWNLOAD_INTERFACE: "ifb4wan",
  SQMA_UPLOAD_BASE_KBITS: "10000",
  SQMA_DOWNLOAD_BASE_KBITS: "50000",
};
const environment = (more: Readonly<Record<string, string>> = {}) => ({ variables: variablesOf({ ...GOOD, ...more }) });

test("all faults are told at once, the program's own end first, and where each was set", () => {
  const text = "SQMA_UPLOAD_INTERFACE=wan\nSQMA_UPLOAD_BASE_KBITS=x\nSQMA_LOG_LEVEL=loud\nSQMA_HIGH_LEVEL_LOAD=y\n";
  const { settings, faults, logs } = luaSettings({ environment: { file: "/e", ...parseEnvironment(text) } });
  assert.equal(settings, undefined);
  assert.deepEqual(
    faults.map(({ field, given }) => [field, given?.where?.line]),
    [
      ["network.download_interface", undefined],
      ["network.upload_base_kbits", 2],
      ["network.download_base_kbits", undefined],
      ["output.log_level", 3],
      ["advanced_settings.high_load_level", 4],
    ],
  );
  assert.equal(faults[0]?.fatal, "EXIT 1");
  assert.match(logs.at(-1)!, /^FATAL: No interfaces found/);
});

test("one source that suppresses statistics is enough", () => {
  const no = parseUci("config output\n\toption suppress_statistics 'no'\n");
  const uci = { file: "/etc/config/sqm-autorate", content: no };
  const asked = (more: Readonly<Record<string, string>>, args: readonly string[] = []) =>
    luaSettings({ uci, flags: parseLuaFlags(args), environment: environment(more) }).settings?.output_statistics;
  assert.equal(asked({}), true);
  assert.equal(asked({ SQMA_SUPPRESS_STATISTICS: "Yes" }), false);
  assert.equal(asked({}, ["--no-statistics"]), false);
});

test("flags stand as words or with =, and what is none is told", () => {
  const { given, faults } = parseLuaFlags([
    "--ul=wan",
    "--high-load-level",
    "0.7",
    "--ns",
    "--version",
    "--x",
    "y",
    "--db",
  ]);
  assert.deepEqual(
    [...given].map(([field, { text, as }]) => [field, text, as]),
    [
      ["network.upload_interface", "wan", "--ul"],
      ["advanced_settings.high_load_level", "0.7", "--high-load-level"],
      ["output.suppress_statistics", "yes", "--ns"],
    ],
  );
  assert.deepEqual(faults, [
    "with --version the program only prints something",
    '"--x" is no flag of the program',
    '"y" is no flag of the program',
    "--db has no value behind it",
  ]);
});

test("a plugin that is not found is named, unless the log is quieter than that", () => {
  const said = (level: string) =>
    luaSettings({ environment: environment({ SQMA_PLUGIN_RATECONTROL: "x", SQMA_LOG_LEVEL: level }) }).logs;
  assert.match(said("INFO").at(-1)!, /^ERROR: Could not find configured plugin: x$/);
  assert.deepEqual(said("FATAL"), ["WARN: did not find uci library"]);
});
