/** `[autorate]` with anything in it: never a crash, always the path and the line of what is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stringify } from "smol-toml";
import { ALL_LINK_KEYS } from "../src/autorate/settings/keys.ts";
import { CONTROLLER_OPTIONS } from "../src/autorate/settings/options.ts";
import { readAutorate } from "../src/autorate/settings/read.ts";
import { DIRECTIONS } from "../src/core/both.ts";
import { parseDocument } from "../src/core/config-table.ts";
import { asTable } from "../src/core/toml.ts";
import { garble, mutate, seeded } from "./helpers/mutate.ts";

const KEY = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...ALL_LINK_KEYS.map(({ name }) => name)) },
  fc.constantFrom("options", "plugin", "links", "__proto__", "constructor", "toString", "hasOwnProperty", "a b", ""),
);
const SCALAR = fc.oneof(
  fc.constantFrom("wan", "50mbit", "sluice", "ewma", "cake", "./x.lua", "cake wan", "htb eth1 1:2a", "hold", "", "lo"),
  fc.constantFrom(0, 1, -1, 0.5, 20, 5000, 1e308, true, false),
  fc.string(),
  fc.double(),
  fc.date({ noInvalidDate: true, min: new Date("1970-01-01"), max: new Date("2100-01-01") }),
);
const VALUE = fc.oneof(
  { weight: 4, arbitrary: SCALAR },
  fc.array(SCALAR, { maxLength: 3 }),
  fc.dictionary(fc.string({ maxLength: 5 }), SCALAR, { maxKeys: 3 }),
);
const TABLE = fc.dictionary(KEY, VALUE, { maxKeys: 12, noNullPrototype: true });
const AUTORATE = fc.record(
  {
    controller: VALUE,
    download_delay_ms: VALUE,
    links: fc.oneof(
      fc.dictionary(fc.constantFrom("wan", "lte", "a b", "x.y", "__proto__"), fc.oneof(TABLE, VALUE)),
      VALUE,
    ),
    options: VALUE,
    plugin: VALUE,
    more: VALUE,
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Reads a document, and looks whether each problem has what it needs. */
function read(toml: string) {
  const document = parseDocument(toml, "sluice.toml");
  if ("problem" in document) return undefined;
  const { config, problems } = readAutorate(document);
  for (const { code, message, remedy, where } of problems) {
    assert.match(code, /^(?:CONFIG|AUTORATE)_/);
    assert.match(message, /autorate|The links/, `${message}\n${toml}`);
    assert.ok(remedy.length > 5 && where?.line !== undefined, `${message} has no line\n${toml}`);
  }
  const wrong = problems.some(({ severity }) => severity === "error");
  if (document.values["autorate"] !== undefined) assert.equal(config === undefined, wrong, toml);
  return config;
}

test("tables of anything", () => {
  fc.assert(
    fc.property(AUTORATE, (autorate) => {
      read(stringify({ autorate }));
    }),
    { numRuns: 1000 },
  );
});

/** A file with every key in it. */
function whole(controller: string, i: number): string {
  const own = /^(?:site|download_target|upload_target|(?:download|upload)_min_percent|controller)$/;
  const keys = ALL_LINK_KEYS.filter(({ name }) => !own.test(name)).map(({ name, example }) => `${name} = ${example}`);
  const options = Object.entries(CONTROLLER_OPTIONS[controller]!).map(
    ([key, row]) => `${key} = ${JSON.stringify(row.default)}`,
  );
  const link = [
    `[autorate.links.l${i}]`,
    `controller = "${controller}"`,
    ...keys,
    `[autorate.links.l${i}.options]`,
    ...options,
  ];
  const renamed = link.map((line) => line.replace(/"(dl0|ul0|wan)"/, `"$1${i}"`).replaceAll("/tmp/", `/tmp/${i}`));
  return `${renamed.join("\n")}\n[autorate.links.l${i}.plugin.rate_cap]\nmax = 5\n`;
}
const WHOLE = ["sluice", "ewma", "cake"].map((controller, i) => whole(controller, i)).join("");

test("a file with every key, garbled", (t) => {
  assert.equal(read(WHOLE)?.links.length, 3);
  const seed = Number(process.env["SLUICE_TEST_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  const random = seeded(seed);
  let [taken, refused] = [0, 0];
  for (let i = 0; i < 500; i += 1) {
    if (read(garble(random, WHOLE))) taken += 1;
    else refused += 1;
  }
  t.diagnostic(`${taken} taken, ${refused} refused`);
  assert.ok(taken > 25 && refused > 100);
});

test("a good table with something in it made wrong", () => {
  const document = parseDocument(WHOLE, "sluice.toml");
  assert.ok(!("problem" in document));
  const random = seeded(20_261_127);
  for (let i = 0; i < 500; i += 1) {
    const autorate = mutate(random, document.values["autorate"]);
    const values = { autorate };
    const { config, problems } = readAutorate({ ...document, values });
    assert.equal(
      config !== undefined,
      asTable(autorate) !== undefined && !problems.some(({ severity }) => severity === "error"),
    );
    for (const { message } of problems) assert.match(message, /autorate|The links/);
  }
});

test("what is taken holds what everybody relies on", () => {
  const rate = fc.integer({ min: 1, max: 200_000 });
  const one = fc.record(
    {
      download_interface: fc.constantFrom("ifb0", "wan"),
      upload_interface: fc.constantFrom("wan", "lte"),
      download_base: rate,
      upload_base: rate,
      download_min: rate,
      upload_min_percent: fc.integer({ min: 0, max: 101 }),
      upload_max: rate,
      active_rate: fc.integer({ min: 1, max: 20_000 }),
      controller: fc.constantFrom("sluice", "ewma", "cake"),
    },
    { requiredKeys: ["download_base", "upload_base", "upload_interface"], noNullPrototype: true },
  );
  let taken = 0;
  fc.assert(
    fc.property(one, (wan) => {
      const config = read(stringify({ autorate: { links: { wan } } }));
      if (!config) return;
      taken += 1;
      const [link] = config.links;
      const directions = DIRECTIONS.flatMap((d) => link!.directions[d] ?? []);
      assert.ok(directions.length > 0);
      for (const { bounds } of directions) {
        assert.ok(bounds.min >= 1 && bounds.min <= bounds.base && bounds.base <= bounds.max);
        assert.ok(link!.activeRate > 0 && link!.activeRate <= bounds.min);
      }
      assert.deepEqual(Object.keys(link!.options), Object.keys(CONTROLLER_OPTIONS[link!.controller]!));
    }),
    { numRuns: 500 },
  );
  assert.ok(taken > 10, `only ${taken} were taken`);
});
