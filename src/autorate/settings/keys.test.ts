import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "smol-toml";
import { Refusal } from "../../core/config-values.ts";
import { ALL_LINK_KEYS, AUTORATE_TABLE } from "./keys.ts";
import { luaVariable, rustVariable, uciPath } from "./names.ts";
import { upstreamRow, UPSTREAM_ROWS } from "./upstream/rows.ts";
import { CAKE_OPTIONS } from "./options/cake.ts";
import { CAKE_LEFT } from "./import/cake-left.ts";
import { CAKE_VARIABLES } from "./upstream/cake-variables.ts";

test("every key takes its example and its default", () => {
  assert.ok(ALL_LINK_KEYS.length > 30);
  for (const { name, type, example, default: usual, defaultWith } of ALL_LINK_KEYS) {
    const { value } = parse(`value = ${example}`);
    assert.ok(!(type.read(value) instanceof Refusal), `${name} = ${example}`);
    for (const each of [usual, ...Object.values(defaultWith ?? {})])
      if (each !== undefined) assert.deepEqual(type.read(each), each, name);
  }
});

test("names stand once, and are whole", () => {
  const names = ALL_LINK_KEYS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const { name, help, example, usual = "", upstream, cake = "" } of ALL_LINK_KEYS)
    assert.doesNotMatch(
      [name, help, example, usual, JSON.stringify(upstream), cake].join(" "),
      /\{(?:direction|dl|d)\}/,
    );
});

test("what links have in common is everything but what one line alone has", () => {
  const own = /^(?:site|(?:download|upload)_(?:interface|target|base|min|max))$/;
  const common = ALL_LINK_KEYS.map(({ name }) => name).filter((name) => !own.test(name));
  assert.deepEqual(Object.keys(AUTORATE_TABLE).toSorted(), [...common, "links", "options", "plugin"].toSorted());
});

test("other programs' names follow from the field, but for upstream's own slip", () => {
  const { name } = upstreamRow("network.download_base_kbits");
  assert.equal(uciPath(name, "lua"), "sqm-autorate.@network[0].download_base_kbits");
  assert.equal(uciPath(name, "rust"), "sqm-autorate-rust.@network[0].download_base_kbits");
  assert.equal(luaVariable(name), "SQMA_DOWNLOAD_BASE_KBITS");
  assert.equal(rustVariable(name), "SQMA__NETWORK__DOWNLOAD_BASE_KBITS");
  assert.deepEqual(name.flags, ["--download-base-kbits", "--db"]);
  assert.equal(luaVariable(upstreamRow("advanced_settings.high_load_level").name), "SQMA_HIGH_LEVEL_LOAD");
  const flags = [...UPSTREAM_ROWS.values()].flatMap((row) => row.name.flags ?? []);
  assert.equal(new Set(flags).size, flags.length, "no flag means two things");
  assert.throws(() => upstreamRow("network.nothing"), /No table has the setting/);
});

test("every variable of cake-autorate is a key, an option, or has a reason why not", () => {
  const keys = ALL_LINK_KEYS.flatMap(({ cake }) => cake ?? []);
  // Part of other keys: a direction that is not there, a sleep that is off.
  const parts = ["upload_only", "enable_sleep_function"];
  const known = new Set([...keys, ...Object.keys(CAKE_OPTIONS), ...Object.keys(CAKE_LEFT), ...parts]);
  assert.deepEqual(
    Object.keys(CAKE_VARIABLES).filter((name) => !known.has(name)),
    [],
  );
  assert.deepEqual(
    [...known].filter((name) => !(name in CAKE_VARIABLES)),
    [],
  );
});
