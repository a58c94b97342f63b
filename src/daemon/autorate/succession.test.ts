import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { linkConfig } from "../../../test/helpers/link-bench.ts";
import type { DirectionConfig, LinkConfig, TargetSpec } from "../../autorate/config.ts";
import { both, type Both, type Direction } from "../../core/both.ts";
import { fingerprint } from "./fingerprint.ts";
import { carriedRates, fatesOf } from "./succession.ts";

const site = (name: string): Both<TargetSpec> => both(() => ({ kind: "site", name }));
const wan: Both<TargetSpec> = {
  download: { kind: "auto", device: "ifb4wan" },
  upload: { kind: "auto", device: "wan" },
};

/** A link with these targets; a direction can be changed, or left out. */
function link(
  name: string,
  targets: Both<TargetSpec>,
  changes: Partial<Both<Partial<DirectionConfig> | "absent">> = {},
): LinkConfig {
  const { directions } = linkConfig();
  const side = (d: Direction): Partial<Both<DirectionConfig>> => {
    const change = changes[d];
    return change === "absent" ? {} : { [d]: { ...directions[d]!, target: targets[d], ...change } };
  };
  return linkConfig({ name, directions: { ...side("download"), ...side("upload") } });
}

const RATES = { download: 12_000, upload: 3000 };
const before = (config: LinkConfig) => [{ config, rates: RATES }];

test("what another link drives is kept for it, the rest is given back", () => {
  const tower = link("tower", site("Tower"));
  assert.deepEqual(fatesOf(tower, []), { download: "returned", upload: "returned" });
  assert.deepEqual(fatesOf(tower, [link("other", site("Tower"))]), { download: "kept", upload: "kept" });
  assert.deepEqual(fatesOf(tower, [link("tower", site("Mill"))]), { download: "returned", upload: "returned" });
  const monitored = link("tower", site("Tower"), { upload: { adjust: false } });
  assert.deepEqual(
    fatesOf(tower, [monitored]),
    { download: "kept", upload: "returned" },
    "who only looks drives nothing",
  );
  const halved = link("wan", wan, { download: "absent" });
  assert.deepEqual(fatesOf(link("wan", wan), [halved]), { download: "returned", upload: "kept" });
});

test("a link goes on from the rates that were found for its targets, also under another name", () => {
  const old = link("wan", wan);
  assert.deepEqual(carriedRates(link("wan", wan, { download: { threshold: 30 } }), before(old)), RATES);
  assert.deepEqual(carriedRates(link("line", wan), before(old)), RATES);
  assert.deepEqual(carriedRates(link("wan", wan, { upload: "absent" }), before(old)), { download: 12_000 });
  assert.deepEqual(carriedRates(link("wan", site("Tower")), before(old)), {});
  assert.deepEqual(carriedRates(link("wan", wan), []), {});
  assert.deepEqual(carriedRates(link("wan", wan), [{ config: old, rates: {} }]), {}, "nothing was set yet");
});

test("it does not when the line is said to be another one, or nobody drove it", () => {
  const old = link("wan", wan);
  const faster = { bounds: { min: 1000, base: 60_000, max: 90_000 } };
  assert.deepEqual(carriedRates(link("wan", wan, { download: faster }), before(old)), { upload: 3000 });
  const monitored = link("wan", wan, { download: { adjust: false } });
  assert.deepEqual(carriedRates(link("wan", wan), before(monitored)), { upload: 3000 });
});

test("a link is another one when its configuration is, or a file that it is made of", () => {
  const folder = mkdtempSync(join(tmpdir(), "sluice-fingerprint-"));
  after(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const config = linkConfig({
    controller: path("a.lua"),
    plugins: [path("b.lua")],
    probe: { ...linkConfig().probe, reflectorFile: path("c.csv") },
  });
  const prints = [fingerprint(config)];
  for (const name of ["a.lua", "b.lua", "c.csv"])
    for (const text of ["one", "two"]) {
      writeFileSync(path(name), text);
      prints.push(fingerprint(config));
    }
  prints.push(fingerprint({ ...config, highLoad: 0.7 }));
  assert.equal(new Set(prints).size, prints.length);
  assert.equal(fingerprint(config), prints.at(-2));
  assert.equal(fingerprint(structuredClone(config)), prints.at(-2));
});
