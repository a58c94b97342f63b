/** The settings that sqm-autorate worked out in recorded runs, from environments, files of UCI and command lines. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { variablesOf } from "../src/autorate/settings/upstream/environment.ts";
import { parseLuaFlags } from "../src/autorate/settings/upstream/flags.ts";
import { luaSettings } from "../src/autorate/settings/upstream/lua.ts";
import { parseUci } from "../src/autorate/settings/upstream/uci.ts";
import { autorateGolden, skipAutorateGolden } from "./helpers/autorate-golden.ts";

/** A recorded run. */
interface Case {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly argv?: readonly string[];
  readonly uci?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly logs?: readonly string[];
  readonly out: Readonly<Record<string, unknown>>;
}

/** The plugin that the runs could load. */
const MODULES = ["pretty_speeds"];

/** The file of UCI that the recorded answers of its library would come from. */
function uciText(uci: NonNullable<Case["uci"]>): string {
  const sections = Object.entries(uci).map(([selector, options]) => {
    const type = /^@(\w+)\[0\]$/.exec(selector)![1]!;
    return [`config ${type}`, ...Object.entries(options).map(([name, value]) => `\toption ${name} '${value}'`)];
  });
  return sections.flat().join("\n");
}

function replay({ env = {}, argv = [], uci }: Case) {
  const flags = parseLuaFlags(argv);
  assert.deepEqual(flags.faults, []);
  return luaSettings({
    ...(uci && { uci: { file: "/etc/config/sqm-autorate", content: parseUci(uciText(uci)) } }),
    flags,
    environment: { variables: variablesOf(env) },
    modules: MODULES,
  });
}

describe("settings of sqm-autorate", { skip: skipAutorateGolden }, () => {
  const { cases } =
    skipAutorateGolden === undefined ? (autorateGolden("settings-lua") as { cases: Case[] }) : { cases: [] };

  it("were recorded", () => assert.ok(cases.length >= 18, `only ${cases.length} cases`));

  for (const recorded of cases) {
    it(recorded.name, () => {
      const { settings, faults, logs } = replay(recorded);
      if (recorded.logs) assert.deepEqual(logs, recorded.logs);
      if ("fatal" in recorded.out) {
        assert.equal(faults[0]?.fatal, recorded.out["fatal"]);
        assert.equal(settings, undefined);
        return;
      }
      assert.deepEqual(faults, []);
      // How many reflectors its own list has is no setting, and a plugin that was found is a table there.
      const { pool_size: _, plugin_ratecontrol: plugin, ...expected } = recorded.out;
      const { plugin_ratecontrol: named, ...actual } = settings!;
      assert.deepEqual(actual, expected);
      assert.equal(named !== undefined && MODULES.includes(named) ? "(module)" : named, plugin);
    });
  }
});
