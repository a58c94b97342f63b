import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { readRuleFile, renderRules } from "./file.ts";
import type { WholeRule } from "./json.ts";

function reread(text: string): readonly WholeRule[] {
  const folder = mkdtempSync(join(tmpdir(), "sluice-rules-"));
  try {
    writeFileSync(join(folder, "rules.toml"), text);
    return readRuleFile(join(folder, "rules.toml")).rules;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const octet = fc.integer({ min: 1, max: 254 });
const group = octet.map((last) => `239.1.1.${last}`);
const host = octet.map((last) => `10.0.0.${last}`);
const maybe = <T>(key: string, value: fc.Arbitrary<T>) =>
  fc.option(value, { nil: undefined }).map((it) => (it === undefined ? {} : { [key]: it }));
const output = fc
  .tuple(
    fc.record({
      interface: fc.constantFrom("eth1", "eth2", "br-lan.7"),
      group,
      port: fc.integer({ min: 0, max: 65_535 }),
      ttl: fc.integer({ min: 1, max: 255 }),
      source: fc.oneof(fc.constantFrom("rewrite", "preserve"), host),
    }),
    maybe("dscp", fc.integer({ min: 0, max: 63 })),
  )
  .map(([fields, dscp]) => ({ ...fields, ...dscp }));
const rule = fc
  .tuple(
    fc.record({
      interface: fc.constant("eth0"),
      group,
      port: fc.integer({ min: 0, max: 65_535 }),
      outputs: fc.uniqueArray(output, {
        minLength: 1,
        maxLength: 4,
        selector: (each) => `${each.interface} ${each.group} ${each.port}`,
      }),
      engine: fc.constantFrom<("auto" | "kernel" | "user")[]>("auto", "kernel", "user"),
      class: fc.constantFrom<("high" | "normal" | "low")[]>("high", "normal", "low"),
    }),
    maybe(
      "name",
      fc.string({ minLength: 1, maxLength: 20, unit: fc.constantFrom("a", "b", " ", '"', "\\", "#", "=", "[", "é") }),
    ),
    maybe("source", host),
    maybe("vlan", fc.integer({ min: 1, max: 4094 })),
    maybe("maxBitsPerSecond", fc.integer({ min: 1, max: 1e9 })),
    maybe("maxPacketsPerSecond", fc.integer({ min: 1, max: 1e6 })),
  )
  .map((parts) => Object.assign({}, ...parts) as Omit<WholeRule, "id">);
const rules = fc
  .uniqueArray(rule, { maxLength: 5, selector: (each) => `${each.group} ${each.port} ${each.source} ${each.vlan}` })
  .map((all) =>
    all.map((each, index): WholeRule => ({
      id: `r${index}`,
      ...each,
      ...("name" in each && { name: `${each.name}${index}` }),
    })),
  );

test("38: what is kept reads back as it was", () => {
  fc.assert(
    fc.property(rules, (all) => {
      assert.deepEqual(reread(renderRules(all)), all);
    }),
  );
});

test("38: what is wrong in a file is told all at once, with its line", () => {
  const text = "[relay]\n".concat('[[relay.rules]]\ninterface = "a b"\n[[relay.rules]]\nport = 0\n');
  assert.throws(
    () => reread(text),
    /rules\.toml:\d+:1: error: Cannot use relay\.rules\.0\.interface.*rules\.toml:\d+:1: error: .*relay\.rules\.1/s,
  );
});
