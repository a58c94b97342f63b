import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, test } from "node:test";
import { parseConfig, readConfig, SHAPER_KEYS } from "./config.ts";
import type { ShaperConfig } from "./model.ts";
import { readIsp } from "./sources/isp.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const LEAST = `[shaper]
network = "network.json"
devices = "lists/ShapedDevices.csv"
lan = "eth1"
internet = "eth0"
download = "1gbit"
upload = 500
`;

function good(toml: string): ShaperConfig {
  const { config, problems } = parseConfig(toml, "/etc/sluice/sluice.toml");
  assert.deepEqual(problems, []);
  return config!;
}
const said = (toml: string): string[] =>
  parseConfig(toml, "c.toml").problems.map(({ where, message }) => `${where?.line}: ${message}`);

describe("parseConfig", () => {
  test("fills in the defaults, and makes paths absolute from the file's folder", () => {
    assert.deepEqual(good(LEAST), {
      network: "/etc/sluice/network.json",
      devices: "/etc/sluice/lists/ShapedDevices.csv",
      dialect: "sluice",
      link: { kind: "bridge", lan: "eth1", internet: "eth0" },
      rate: { download: 1e9, upload: 5e8 },
      mode: "shape",
      leaf: { kind: "auto" },
      fastRate: 1e9,
      minimums: "strict",
    });
  });

  test("reads every key", () => {
    const config = good(`[shaper]
      network = "/srv/n.json"
      devices = "d.csv"
      interface = "eth0"
      lan_vlan = 2
      internet_vlan = 3
      download = 2.5
      upload = "1.5 mbit"
      mode = "observe"
      leaf = "cake diffserv4 nat"
      fast_rate = "off"
      minimums = "scale"
      unknown_download = "50mbit"
      unknown_upload = "10mbit"
      queues = 16
      dialect = "libreqos"`);
    assert.deepEqual(config, {
      network: "/srv/n.json",
      devices: "/etc/sluice/d.csv",
      dialect: "libreqos",
      link: { kind: "stick", interface: "eth0", lanVlan: 2, internetVlan: 3 },
      rate: { download: 2_500_000, upload: 1_500_000 },
      mode: "observe",
      leaf: { kind: "cake", diffserv: "diffserv4", nat: true },
      fastRate: 0,
      minimums: "scale",
      unknownRate: { download: 5e7, upload: 1e7 },
      queues: 16,
    });
  });

  test("takes auto, none, fifo, and cake or fq_codel with tc's options as leaf", () => {
    for (const kind of ["auto", "none", "fifo", "cake", "fq_codel"]) {
      assert.deepEqual(good(`${LEAST}leaf = "${kind}"`).leaf, { kind });
    }
    assert.deepEqual(good(`${LEAST}leaf = "fq_codel limit 1000"`).leaf, { kind: "fq_codel", limit: 1000 });
  });

  test("says where an unreadable or wrong thing stands", () => {
    assert.deepEqual(said("[shaper]\nlan = eth1\n"), [
      '2: Cannot parse the configuration: invalid value in "lan = eth1"; texts need double quotes',
    ]);
    assert.deepEqual(said(LEAST.replace('"eth0"', '"eth 0"').replace("500", "true")), [
      '5: Cannot use shaper.internet: it is "eth 0", wanted the name of an interface (1 to 15 characters)',
      '7: Cannot use shaper.upload: it is true, wanted a rate such as "500mbit" or "1gbit", or a number of Mbit/s',
    ]);
  });

  test("finds keys of inline and dotted tables by the line of what holds them", () => {
    const inline = said('a = 1\nshaper = { lan = "", network = "n" }');
    assert.equal(inline[0], "1: The configuration has a, which sluice does not know");
    assert.ok(
      inline.includes('2: Cannot use shaper.lan: it is "", wanted the name of an interface (1 to 15 characters)'),
    );
    const dotted = LEAST.replace("[shaper]\n", "").replaceAll(/^(?=.)/gm, "shaper.");
    assert.deepEqual(said(`${dotted}shaper.queus = 1`), [
      '7: The configuration has shaper.queus, which sluice does not know; did you mean "queues"?',
    ]);
  });
});

test("readConfig says when there is no file, or no text in it", () => {
  const [problem] = readConfig("/nonexistent/sluice.toml").problems;
  assert.deepEqual(
    [problem!.code, problem!.message],
    ["CONFIG_UNREADABLE", 'Cannot read the configuration "/nonexistent/sluice.toml": there is no such file'],
  );
  assert.equal(readConfig("/").problems[0]!.code, "CONFIG_UNREADABLE");
});

test("docs/configuration.md names every key", () => {
  const docs = readFileSync(resolve(ROOT, "docs/configuration.md"), "utf8");
  for (const key of Object.keys(SHAPER_KEYS)) assert.match(docs, new RegExp(`^\\| \`${key}\` +\\|`, "m"));
});

test("the example is an ISP without errors, of which one site alone is oversubscribed", () => {
  const { config, problems } = readConfig(resolve(ROOT, "examples/isp/sluice.toml"));
  assert.deepEqual(problems, []);
  const { isp, problems: found } = readIsp(config!);
  assert.deepEqual(found, []);
  assert.equal(isp!.circuits.length, 14);
  const ratios = isp!.nodes.map((site) => {
    const below = new Set([site, ...site.children].map(({ name }) => name));
    const plans = isp!.circuits.filter(({ parent }) => parent !== undefined && below.has(parent));
    return plans.reduce((sum, { max }) => sum + max.download, 0) / site.max.download;
  });
  assert.equal(ratios.filter((ratio) => ratio > 1.8 && ratio < 2.2).length, 1);
  assert.equal(ratios.filter((ratio) => ratio <= 1).length, ratios.length - 1);
  const total = isp!.circuits.reduce((sum, { max }) => sum + max.download, 0);
  assert.ok(total <= config!.rate.download);
});
